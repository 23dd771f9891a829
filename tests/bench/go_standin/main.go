// A fork-per-request watchdog in Go's own standard library and nothing else: what net/http and
// os/exec cost. It stands beside the classic-watchdog where that can be had, and in for it where it
// cannot; it writes no metrics and builds no environment, so it flatters Go a little.
package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	command := strings.Fields(os.Getenv("fprocess"))

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stdin = bytes.NewReader(body)
		out, err := cmd.CombinedOutput()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Write(out)
		log.Printf("wrote %d bytes in %s", len(out), time.Since(start))
	})
	http.HandleFunc("/_/health", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("port"), nil))
}
