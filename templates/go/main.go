// Serves the handler over HTTP. The watchdog starts this once, names the port, and sends requests here.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"handler/function"
)

// adapt makes an http.Handler of any of the forms that function.Handle may have.
func adapt(handle any) http.Handler {
	switch h := handle.(type) {
	case func(http.ResponseWriter, *http.Request):
		return http.HandlerFunc(h)
	case func([]byte) string:
		return plain(func(body []byte) ([]byte, error) { return []byte(h(body)), nil })
	case func([]byte) (string, error):
		return plain(func(body []byte) ([]byte, error) { s, err := h(body); return []byte(s), err })
	case func([]byte) []byte:
		return plain(func(body []byte) ([]byte, error) { return h(body), nil })
	case func([]byte) ([]byte, error):
		return plain(h)
	}
	log.Fatalf("function.Handle is a %T; it must be func(http.ResponseWriter, *http.Request) or func([]byte) string", handle)
	return nil
}

// plain serves a function that sees nothing of a request but its body.
func plain(handle func([]byte) ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "cannot read the request's body", http.StatusBadRequest)
			return
		}
		answer, err := handle(body)
		if err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	})
}

func port() string {
	for _, name := range []string{"http_port", "PORT"} {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return "8082"
}

func main() {
	log.SetFlags(0) // the watchdog's log has times already
	server := &http.Server{Handler: adapt(function.Handle)}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port()))
	if err != nil {
		log.Fatal(err)
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		<-stop.Done()
		_ = server.Shutdown(context.Background()) // the watchdog decides how long that may take
		close(drained)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-drained
}
