package photograph_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/photograph"
)

// Four colours, one in each quarter of a picture.
var quarters = [4]color.RGBA{{200, 30, 30, 255}, {30, 160, 30, 255}, {30, 30, 200, 255}, {220, 220, 220, 255}}

// picture has quarters[0] at the top left, [1] at the top right, [2] at the bottom left and [3] at the bottom right.
func picture(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, quarters[2*(2*y/height)+2*x/width])
		}
	}
	return m
}

func encoded(tb testing.TB, m image.Image, as string) []byte {
	tb.Helper()
	var file bytes.Buffer
	var err error
	switch as {
	case "jpeg":
		err = jpeg.Encode(&file, m, &jpeg.Options{Quality: 95})
	case "png":
		err = png.Encode(&file, m)
	default:
		err = gif.Encode(&file, m, nil)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// decoded is what is kept, which has to be a JPEG of 4 to 5 with nothing after its end.
func decoded(tb testing.TB, kept []byte) image.Image {
	tb.Helper()
	m, err := jpeg.Decode(bytes.NewReader(kept))
	if err != nil {
		tb.Fatalf("Portrait() is no JPEG: %v", err)
	}
	size := m.Bounds().Size()
	if size.X > 480 || size.Y > 600 || size.X < 192 || size.Y < 240 || size.X*5/4-size.Y > 2 || size.Y-size.X*5/4 > 2 {
		tb.Fatalf("Portrait() is of %v, want 4 to 5, from 192 by 240 to 480 by 600", size)
	}
	if len(kept) > 255<<10 || !bytes.HasSuffix(kept, []byte("\xff\xd9")) {
		tb.Fatalf("Portrait() has %d bytes and ends with %x, want at most 255 KB, and the end of a JPEG", len(kept), kept[len(kept)-2:])
	}
	return m
}

// corners are the colours in the middle of the quarters.
func corners(m image.Image) (all [4]color.RGBA) {
	size := m.Bounds().Size()
	for i := range all {
		c := m.At(size.X/4+i%2*size.X/2, size.Y/4+i/2*size.Y/2)
		all[i], _ = color.RGBAModel.Convert(c).(color.RGBA)
	}
	return all
}

func like(a, b color.RGBA) bool {
	for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
		if d > 20 || d < -20 {
			return false
		}
	}
	return true
}

// withExif puts the tag of orientation into a JPEG, and a place.
func withExif(file []byte, order binary.AppendByteOrder, turned uint16) []byte {
	mark := "II*\x00"
	if order.String() == "BigEndian" {
		mark = "MM\x00*"
	}
	exif := append([]byte("Exif\x00\x00"), mark...)
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 2)
	for _, entry := range [][2]uint16{{0x010f, 0}, {0x0112, turned}} {
		exif = order.AppendUint16(exif, entry[0])
		exif = order.AppendUint16(exif, 3)
		exif = order.AppendUint32(exif, 1)
		exif = order.AppendUint16(exif, entry[1])
		exif = order.AppendUint16(exif, 0)
	}
	exif = append(exif, "GPS 51.5007 N 0.1246 W"...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return bytes.Join([][]byte{file[:2], append(segment, exif...), file[2:]}, nil)
}

// Of what is handed in the middle is kept, upright, and nothing else.
func TestPortrait(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		file          []byte
		width, height int
	}{
		{"a large JPEG", encoded(t, picture(1600, 1200), "jpeg"), 480, 600},
		{"a PNG", encoded(t, picture(640, 480), "png"), 384, 480},
		{"the form that is kept", encoded(t, picture(480, 600), "jpeg"), 480, 600},
		{"a tall one", encoded(t, picture(300, 2000), "png"), 300, 375},
		{"the smallest", encoded(t, picture(192, 240), "png"), 192, 240},
		{"one with something behind it", append(encoded(t, picture(640, 800), "jpeg"), "<script>alert(1)</script>"...), 480, 600},
		{"one with a place in it", withExif(encoded(t, picture(640, 800), "jpeg"), binary.LittleEndian, 1), 480, 600},
	} {
		kept, err := photograph.Portrait(test.file)
		if err != nil {
			t.Errorf("Portrait(%s) = %v, want no error", test.name, err)
			continue
		}
		m := decoded(t, kept)
		if got, want := m.Bounds().Size(), image.Pt(test.width, test.height); got != want {
			t.Errorf("Portrait(%s) is of %v, want %v", test.name, got, want)
		}
		for i, c := range corners(m) {
			if !like(c, quarters[i]) {
				t.Errorf("Portrait(%s) has %v in quarter %d, want %v", test.name, c, i, quarters[i])
			}
		}
		for _, left := range []string{"script", "Exif", "GPS", "IHDR"} {
			if bytes.Contains(kept, []byte(left)) {
				t.Errorf("Portrait(%s) has %q in it, want nothing but the picture", test.name, left)
			}
		}
	}
}

// A photograph that was taken with the phone on its side, or upside down, is kept upright.
func TestPortraitIsUpright(t *testing.T) {
	t.Parallel()
	// Where each quarter of what is upright is found in the file, by the orientation: CIPA DC-008, Section 4.6.4.
	for turned, from := range map[uint16][4]int{
		0: {0, 1, 2, 3}, 1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1},
		5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2}, 9: {0, 1, 2, 3},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			kept, err := photograph.Portrait(withExif(encoded(t, picture(1200, 1000), "jpeg"), order, turned))
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range corners(decoded(t, kept)) {
				if !like(c, quarters[from[i]]) {
					t.Errorf("Portrait(orientation %d, %s) has %v in quarter %d, want %v", turned, order, c, i, quarters[from[i]])
				}
			}
		}
	}
}

// What shines through a PNG is white.
func TestPortraitIsOpaque(t *testing.T) {
	t.Parallel()
	kept, err := photograph.Portrait(encoded(t, image.NewNRGBA(image.Rect(0, 0, 480, 600)), "png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range corners(decoded(t, kept)) {
		if !like(c, color.RGBA{255, 255, 255, 255}) {
			t.Errorf("Portrait(transparent) = %v, want white", c)
		}
	}
}

// Also what cannot be made small by being a photograph fits its row.
func TestPortraitOfNoise(t *testing.T) {
	t.Parallel()
	m, random := image.NewRGBA(image.Rect(0, 0, 480, 600)), rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = uint8(random.Uint32())
	}
	kept, err := photograph.Portrait(encoded(t, m, "png"))
	if err != nil {
		t.Fatal(err)
	}
	decoded(t, kept)
}

// wide says of a PNG that it is as large as nobody could decode it.
func wide(tb testing.TB, width, height uint32) []byte {
	tb.Helper()
	file := encoded(tb, picture(192, 240), "png")
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// inScans has the scan of a JPEG drawn so many times, with something before each.
func inScans(tb testing.TB, file []byte, times int, before ...string) []byte {
	tb.Helper()
	at := bytes.Index(file, []byte("\xff\xda"))
	if at < 0 {
		tb.Fatal("the JPEG has no scan")
	}
	scan := slices.Concat([]byte(strings.Join(before, "")), file[at:len(file)-2])
	return slices.Concat(file[:at], bytes.Repeat(scan, times), []byte("\xff\xd9"))
}

// What is drawn in as many steps as cameras and programs take is taken, whatever comes with it.
func TestPortraitInScans(t *testing.T) {
	t.Parallel()
	photo := encoded(t, picture(400, 500), "jpeg")
	for name, file := range map[string][]byte{
		"50 scans":                 inScans(t, photo, 50),
		"scans of a picture in it": inScans(t, photo, 1, "\xff\xfe\x01\x00"+strings.Repeat("\xff\xda", 127)),
		"scans after its end":      append(inScans(t, photo, 1), inScans(t, photo, 60)...),
	} {
		kept, err := photograph.Portrait(file)
		if err != nil {
			t.Errorf("Portrait(%s) = %v, want it taken", name, err)
			continue
		}
		decoded(t, kept)
	}
}

func TestPortraitIsRefused(t *testing.T) {
	t.Parallel()
	photo := encoded(t, picture(400, 500), "jpeg")
	for _, test := range []struct {
		name string
		file []byte
		why  string
	}{
		{"nothing", nil, "nothing in it"},
		{"text", []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "has to be a JPEG or a PNG"},
		{"a GIF", encoded(t, picture(400, 500), "gif"), "has to be a JPEG or a PNG"},
		{"a JPEG that ends too soon", photo[:len(photo)/2], "damaged"},
		{"the beginning of a JPEG", photo[:3], "damaged"},
		{"a PNG of another length", wide(t, 100_000, 100_000), "million pixels"},
		{"a PNG of a pixel too many", wide(t, 13_000_001, 1), "13 million pixels"},
		{"a PNG of one line", wide(t, 1<<31-1, 1), "million pixels"},
		{"a PNG of no height", wide(t, 400, 0), "damaged"},
		{"a JPEG that is drawn again and again", inScans(t, photo, 51), "more than 50 steps"},
		{"a JPEG that hides how often it is drawn", inScans(t, photo, 51, "\xff\xfe\x00\x04\xff\xd9"), "more than 50 steps"},
		{"too few pixels", encoded(t, picture(191, 400), "png"), "too small"},
		{"too few lines", encoded(t, picture(4000, 200), "png"), "too small"},
		{"too many bytes", append(photo, make([]byte, photograph.MaxUpload)...), "longer than 8 MB"},
	} {
		if _, err := photograph.Portrait(test.file); !errors.Is(err, photograph.ErrInvalid) || !strings.Contains(err.Error(), test.why) {
			t.Errorf("Portrait(%s) = %v, want it refused: %s", test.name, err, test.why)
		}
	}
}

// Whatever is handed in is refused, or becomes a JPEG that can be kept; and it never takes more memory than was looked at.
func FuzzPortrait(f *testing.F) {
	small := encoded(f, picture(192, 240), "jpeg")
	f.Add(small)
	f.Add(encoded(f, picture(240, 192), "png"))
	f.Add(withExif(small, binary.LittleEndian, 6))
	f.Add(withExif(small, binary.BigEndian, 8))
	f.Add(wide(f, 100_000, 100_000))
	f.Add(encoded(f, picture(10, 10), "gif"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x02"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(file)); err == nil && config.Width*config.Height > 4_000_000 && config.Width*config.Height <= 13_000_000 {
			return // it is decoded, which takes the fuzzer too long
		}
		kept, err := photograph.Portrait(file)
		if err != nil {
			if !errors.Is(err, photograph.ErrInvalid) {
				t.Fatalf("Portrait() = %v, want ErrInvalid", err)
			}
			return
		}
		decoded(t, kept)
	})
}
