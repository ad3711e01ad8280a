package web

import "time"

// DeskPhotograph shows the photograph of a person and takes another. static/camera.js takes it with the camera of the
// computer; without script there is the file.
type DeskPhotograph struct {
	Desk
	PersonName, PersonURL string
	// ImageURL is the photograph on record, with who took it and when. Empty where there is none.
	ImageURL, TakenBy string
	TakenAt           time.Time
	// Uploaded says that it was a file, and not taken at the desk.
	Uploaded bool
	PostURL  string
}

func (p DeskPhotograph) page() (string, Frame) { return "desk-photograph", p.Frame }
