package photograph

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
)

// ErrInvalid says that what was handed in is not an image that can be kept.
var ErrInvalid = errors.New("the image is not valid")

// Limits of what is handed in. Pixels are what decoding takes memory for, whatever the file weighs.
const (
	MaxUpload = 8 << 20 // bytes
	maxPixels = 13_000_000
	maxScans  = 50  // of a JPEG, each over all of its pixels, however few bytes it takes; what draws one in steps takes ten
	minWidth  = 192 // pixels, of what is kept: with fewer nobody is recognised
	minHeight = 240
)

// What is kept has this form, and is no larger.
const (
	width  = 480
	height = 600
)

// maxImage is how long an image is that is kept: with its seal it has to fit its row.
const maxImage = 255 << 10

// format is how the files of one are read.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formatOf is the format of a file, by how it begins. There are two that are read.
func formatOf(file []byte) (f format, known bool) {
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8\xff")):
		return format{jpeg.DecodeConfig, jpeg.Decode}, true
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		return format{png.DecodeConfig, png.Decode}, true
	}
	return format{}, false
}

// Portrait makes of an image that somebody handed in what is kept of it: its middle, upright, as a JPEG that has nothing in it
// but the picture. What the file says of where and with what it was taken is left behind, and so is whatever else it holds.
// What is no JPEG or PNG, or has too many or too few pixels, is ErrInvalid, and is not decoded.
func Portrait(upload []byte) ([]byte, error) {
	if len(upload) == 0 {
		return nil, fmt.Errorf("%w: there is nothing in it", ErrInvalid)
	}
	if len(upload) > MaxUpload {
		return nil, fmt.Errorf("%w: it is longer than %d MB", ErrInvalid, MaxUpload>>20)
	}
	f, known := formatOf(upload)
	if !known {
		return nil, fmt.Errorf("%w: it has to be a JPEG or a PNG", ErrInvalid)
	}
	config, err := f.config(bytes.NewReader(upload))
	if err != nil {
		return nil, fmt.Errorf("%w: it is damaged", ErrInvalid)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("%w: it has more than %d million pixels", ErrInvalid, maxPixels/1_000_000)
	}
	if scans(upload) > maxScans {
		return nil, fmt.Errorf("%w: it is drawn in more than %d steps", ErrInvalid, maxScans)
	}
	picture, err := f.decode(bytes.NewReader(upload))
	if err != nil {
		return nil, fmt.Errorf("%w: it is damaged", ErrInvalid)
	}
	return encode(picture, orientation(upload))
}

// encode crops a picture to its middle, makes it no larger than it is kept, turns it upright and encodes it.
func encode(picture image.Image, turned turn) ([]byte, error) {
	kept := image.Pt(width, height)
	if turned.onItsSide() {
		kept = image.Pt(height, width)
	}
	from := middle(picture.Bounds(), kept)
	if from.Dx() < kept.X {
		kept = from.Size()
	}
	scaled := image.NewRGBA(image.Rectangle{Max: kept})
	draw.Draw(scaled, scaled.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src) // behind what is transparent
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), picture, from, draw.Over, nil)
	upright := turned.upright(scaled)
	if size := upright.Bounds().Size(); size.X < minWidth || size.Y < minHeight {
		return nil, fmt.Errorf("%w: it is too small to know somebody by: its middle has fewer than %d by %d pixels", ErrInvalid, minWidth, minHeight)
	}
	for quality := 85; ; quality -= 15 { // a photograph takes a fifth of the room there is; only noise takes more
		var file bytes.Buffer
		if err := jpeg.Encode(&file, upright, &jpeg.Options{Quality: quality}); err != nil {
			return nil, fmt.Errorf("encode photograph: %w", err)
		}
		if file.Len() <= maxImage {
			return file.Bytes(), nil
		}
	}
}

// middle is the largest part of a picture, around its middle, that has the form of what is kept.
func middle(picture image.Rectangle, kept image.Point) image.Rectangle {
	size := image.Pt(picture.Dx(), picture.Dx()*kept.Y/kept.X)
	if size.Y > picture.Dy() {
		size = image.Pt(picture.Dy()*kept.X/kept.Y, picture.Dy())
	}
	at := picture.Min.Add(picture.Size().Sub(size).Div(2))
	return image.Rectangle{Min: at, Max: at.Add(size)}
}
