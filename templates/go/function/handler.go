package function

import (
	"io"
	"net/http"
)

// Handle answers one request. func Handle(req []byte) string will do, too.
func Handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body)
}
