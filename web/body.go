package web

import (
	"io"
	"net/http"
)

// Body is the body of a request, of at most so many bytes. Who sends more has the answer at once, and loses the
// connection: http.MaxBytesReader arranges that with the server's own response writer alone, so it is unwrapped. Else the
// server would wait for the rest of a body without a length before it answers.
func Body(w http.ResponseWriter, r *http.Request, most int64) io.ReadCloser {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return http.MaxBytesReader(w, r.Body, most)
		}
		w = wrapper.Unwrap()
	}
}
