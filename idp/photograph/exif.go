package photograph

import (
	"bytes"
	"encoding/binary"
	"image"
	"iter"
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
	markerRST0     = 0xd0 // the first of eight that part the data of a scan
	markerSOI      = 0xd8 // the file begins
	markerEOI      = 0xd9 // the picture ends
	markerSOS      = 0xda // a scan of it begins
	markerAPP1     = 0xe1 // Exif is in it
	tagOrientation = 0x0112
	typeShort      = 3
	entrySize      = 12 // bytes, of an IFD
)

// segments are those of a JPEG, by marker and without their lengths, in the order in which whoever decodes it comes to them. The data
// of scans is passed over. What is no JPEG has none.
func segments(file []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for rest, is := bytes.CutPrefix(file, []byte{0xff, markerSOI}); is; {
			at := bytes.IndexByte(rest, 0xff)
			for at >= 0 && at+1 < len(rest) && rest[at+1] == 0xff { // fill bytes
				at++
			}
			if at < 0 || at+1 >= len(rest) {
				return
			}
			marker := rest[at+1]
			rest = rest[at+2:]
			switch {
			case marker == 0 || marker >= markerRST0 && marker < markerSOI: // in the data of a scan
				continue
			case marker == markerEOI || len(rest) < 2:
				return
			}
			length := int(binary.BigEndian.Uint16(rest)) // with its own two bytes
			if length < 2 || length > len(rest) || !yield(marker, rest[2:length]) {
				return
			}
			rest = rest[length:]
		}
	}
}

// scans is how often a JPEG goes over its picture.
func scans(file []byte) (n int) {
	for marker := range segments(file) {
		if marker == markerSOS {
			n++
		}
	}
	return n
}

// orientation reads how a camera was held from a JPEG. It is 0 where the file does not say it.
func orientation(file []byte) turn {
	for marker, segment := range segments(file) {
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == markerAPP1 {
			return orientationTag(exif)
		}
		if marker == markerSOS {
			break
		}
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
