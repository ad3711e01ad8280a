package desk

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/web"
)

// photographJPEG serves the photograph of a person.
func (h *Handler) photographJPEG(w http.ResponseWriter, r *http.Request, o officer) error {
	image, err := h.Photograph(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "image/jpeg")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	_, _ = w.Write(image) //nolint:gosec // it was encoded here, and is no HTML; a browser that is gone needs none
	return nil
}

// photographing shows the form by which the photograph of a person is taken.
func (h *Handler) photographing(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.Photographed(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.photographPage(r, o, p))
}

func (h *Handler) photographPage(r *http.Request, o officer, p office.Photographed) web.DeskPhotograph {
	of := "/desk/people/" + p.Person.ID
	page := web.DeskPhotograph{Desk: h.desk(r, o), PersonName: p.Person.DisplayName, PersonURL: of, PostURL: address(of+"/photograph", "seen", strconv.FormatInt(p.Version(), 10))}
	page.Camera = true
	if p.Taking != nil {
		page.ImageURL, page.TakenBy, page.TakenAt, page.Uploaded = of+photographPath, p.ByName, p.Taking.TakenAt, photograph.Way(p.Taking.Way) == photograph.Upload
	}
	return page
}

// photographPath is where the photograph of a person is, below her page.
const photographPath = "/photograph.jpg"

// photographed takes that form.
func (h *Handler) photographed(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.Photographed(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	way, upload, err := sentImage(w, r)
	if err == nil {
		seen, _ := strconv.ParseInt(r.URL.Query().Get("seen"), 10, 64) // of a page that does not say: that there is none
		err = h.TakePhotograph(r.Context(), o.Officer, p.Person.ID, seen, way, upload)
	}
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+p.Person.ID)
	}
	if refusedAs(err, deed.ChangedSince) {
		return h.photographSince(w, r, o)
	}
	if !errors.Is(err, photograph.ErrInvalid) {
		return err
	}
	page := h.photographPage(r, o, p)
	_, why, _ := strings.Cut(err.Error(), photograph.ErrInvalid.Error()+": ")
	page.Errors = []web.FieldError{{Field: string(photograph.Upload), Message: "Select another photograph: " + why}}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// photographSince shows the photograph that another officer has taken since.
func (h *Handler) photographSince(w http.ResponseWriter, r *http.Request, o officer) error {
	p, err := h.Photographed(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	page := h.photographPage(r, o, p)
	page.Errors = []web.FieldError{{Field: string(photograph.Upload), Message: "Another photograph was taken since you opened this page. Look at it, and select yours once more if it is the better one"}}
	page.Meanwhile = meanwhile(office.Done{By: page.TakenBy, At: page.TakenAt}, beside("Photograph", "The one on this page", "Another one"))
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// sentImage reads the image of a form. Its part is named for the way in which it was taken: the script of the page says so of
// what comes from the camera.
func sentImage(w http.ResponseWriter, r *http.Request) (photograph.Way, []byte, error) {
	r.Body = web.Body(w, r, 2*photograph.MaxUpload) // so that who sends somewhat too much is told so
	parts, err := r.MultipartReader()
	for err == nil {
		var part *multipart.Part
		if part, err = parts.NextPart(); err != nil {
			break
		}
		way := photograph.Way(part.FormName())
		if way != photograph.Camera && way != photograph.Upload {
			continue
		}
		image, err := io.ReadAll(io.LimitReader(part, photograph.MaxUpload+1))
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body) // it is answered when all of it was sent
		}
		if err != nil {
			break
		}
		return way, image, nil
	}
	return "", nil, fmt.Errorf("%w: this one did not arrive whole, or there was none", photograph.ErrInvalid)
}
