// A watchdog in Go's own standard library and nothing else: what net/http and os/exec cost. It
// stands beside the Go watchdogs where those can be had, and in for them where they cannot; it
// writes no metrics, builds no environment and limits nothing, so it flatters Go a little.
package main

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The whole request, then the process, then the whole answer.
func buffered(command []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
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
	}
}

// Both bodies as they come; stderr into the log.
func streamed(command []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stdin = r.Body
		cmd.Stdout = w
		cmd.Stderr = log.Writer()
		w.Header().Set("Content-Type", "application/octet-stream")
		if err := cmd.Run(); err != nil {
			log.Print(err)
		}
		log.Printf("%s %s %s", r.Method, r.URL, time.Since(start))
	}
}

// To a server that listens already; the process beside it is only kept.
func forwarded(command []string, upstream string) http.HandlerFunc {
	cmd := exec.Command(command[0], command[1:]...)
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConns:        100,
		MaxIdleConnsPerHost: 100,
		IdleConnTimeout:     500 * time.Millisecond,
	}}
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		out, err := http.NewRequestWithContext(r.Context(), r.Method, upstream+r.RequestURI, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for name, values := range r.Header {
			out.Header[name] = values
		}
		out.Host = r.Host
		res, err := client.Do(out)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		defer res.Body.Close()
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		n, _ := io.Copy(w, res.Body)
		log.Printf("%s %s %d %d bytes %s", r.Method, r.URL, res.StatusCode, n, time.Since(start))
	}
}

func main() {
	command := strings.Fields(os.Getenv("fprocess"))
	handler := buffered(command)

	switch os.Getenv("mode") {
	case "streaming":
		handler = streamed(command)
	case "http":
		handler = forwarded(command, os.Getenv("upstream_url"))
	}
	http.HandleFunc("/", handler)
	http.HandleFunc("/_/health", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("port"), nil))
}
