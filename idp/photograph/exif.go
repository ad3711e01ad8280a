package photograph

import (
	"bytes"
	"encoding/binary"
	"image"
)

// turn is how a camera was held, by the tag Orientation of Exif (CIPA DC-008, Section 4.6.4): 1 is upright. What a phone takes
// upright lies on its side in the file, and would do so for good once the tag is gone.
type turn uint16

func (t turn) onItsSide() bool { return t >= 5 && t <= 8 }

// upright turns a picture as it was seen.
func (t turn) upright(picture *image.RGBA) *image.RGBA {
	if t < 2 || t > 8 {
		return picture
	}
	size := picture.Bounds().Size()
	w, h := size.X, size.Y
	if t.onItsSide() {
		w, h = h, w
	}
	upright := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			from := image.Pt(x, y)
			switch t {
			case 2:
				from.X = w - 1 - x
			case 3:
				from = image.Pt(w-1-x, h-1-y)
			case 4:
				from.Y = h - 1 - y
			case 5:
				from = image.Pt(y, x)
			case 6:
				from = image.Pt(y, w-1-x)
			case 7:
				from = image.Pt(h-1-y, w-1-x)
			case 8:
				from = image.Pt(h-1-y, x)
			}
			upright.SetRGBA(x, y, picture.RGBAAt(from.X, from.Y))
		}
	}
	return upright
}

// Of a JPEG (ITU-T T.81, Annex B) and of Exif in it.
const (
	markerSOS      = 0xda // the picture begins
	markerAPP1     = 0xe1 // Exif is in it
	tagOrientation = 0x0112
	typeShort      = 3
	entrySize      = 12 // bytes, of an IFD
)

// orientation reads how a camera was held from a JPEG. It is 0 where the file does not say it.
func orientation(file []byte) turn {
	for at := 2; at+4 <= len(file) && file[at] == 0xff && file[at+1] != markerSOS; {
		length := int(binary.BigEndian.Uint16(file[at+2:])) // with its own two bytes
		end := at + 2 + length
		if length < 2 || end > len(file) {
			return 0
		}
		if exif, ok := bytes.CutPrefix(file[at+4:end], []byte("Exif\x00\x00")); ok && file[at+1] == markerAPP1 {
			return orientationTag(exif)
		}
		at = end
	}
	return 0
}

// orientationTag looks for the tag in the first directory of what is written as TIFF.
func orientationTag(tiff []byte) turn {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return 0
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	directory := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(directory) < entrySize {
			return 0
		}
		if order.Uint16(directory) == tagOrientation && order.Uint16(directory[2:]) == typeShort {
			return turn(order.Uint16(directory[8:]))
		}
		directory = directory[entrySize:]
	}
	return 0
}
