package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/photograph"
)

// image is a picture that is sent or answered in place of JSON.
type image struct{ bytes []byte }

// imageTypes are the media types of what is taken as a picture. What is answered is of the first.
func imageTypes() []string { return []string{"image/jpeg", "image/png"} }

// read reads the picture that a request sends.
func (i *image) read(c call) error {
	kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(imageTypes(), kind) {
		return &Problem{Status: http.StatusUnsupportedMediaType, Detail: "Send a picture, with the Content-Type " + strings.Join(imageTypes(), " or ") + "."}
	}
	i.bytes, err = c.body(photograph.MaxUpload)
	return err
}

// answer sends the picture.
func (i image) answer(w http.ResponseWriter) error {
	header := w.Header()
	header.Set("Content-Type", imageTypes()[0])
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(i.bytes) // a client that is gone needs none
	return nil
}

// body reads what a request sends, of at most so many bytes.
func (c call) body(most int64) ([]byte, error) {
	sent, err := io.ReadAll(http.MaxBytesReader(c.ResponseWriter, c.Body, most))
	if tooLarge, is := errors.AsType[*http.MaxBytesError](err); is {
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("Send at most %d bytes.", tooLarge.Limit)}
	}
	if err != nil {
		return nil, &Problem{Status: http.StatusBadRequest, Detail: "The request did not arrive whole."}
	}
	return sent, nil
}

func (h *Handler) readPhotograph(c call, _ nothing) (image, error) {
	version, err := h.PhotographVersion(c.Context(), c.PathValue("person")) // before the picture, which may be newer then
	if err != nil {
		return image{}, err
	}
	picture, err := h.Photograph(c.Context(), c.officer, c.PathValue("person"))
	if err == nil {
		c.tag(version)
	}
	return image{picture}, err
}

func (h *Handler) takePhotograph(c call, in image) (whose, error) {
	id, seen := c.PathValue("person"), int64(0)
	if c.Request.Header.Get("If-Match") != "" { // the first takes the place of none
		text, err := c.seen()
		if err == nil {
			seen, err = strconv.ParseInt(text, 10, 64)
		}
		if err != nil {
			return whose{}, errNoTag()
		}
	}
	err := h.TakePhotograph(c.Context(), c.officer, id, seen, photograph.Upload, in.bytes)
	if _, why, invalid := strings.Cut(fmt.Sprint(err), photograph.ErrInvalid.Error()+": "); invalid && errors.Is(err, photograph.ErrInvalid) {
		return whose{}, &directory.InvalidError{Field: "body", Want: "another photograph: " + why}
	}
	return whose{id}, err
}
