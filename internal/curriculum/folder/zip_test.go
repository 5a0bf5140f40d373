package folder_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/fault"
)

// archive packs the golden course below a prefix, and what the test adds.
func archive(t testing.TB, prefix string, add func(w *zip.Writer)) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, f := range coursetest.Copy(t) {
		coursetest.Entry(t, w, prefix+name, f.Data)
	}
	if add != nil {
		add(w)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestZipGivesTheSameVersion(t *testing.T) {
	want, err := compile.Course(coursetest.Golden(), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "golden/", "My course (1)/"} {
		fsys, err := folder.OpenZip(archive(t, prefix, func(w *zip.Writer) {
			coursetest.Entry(t, w, "__MACOSX/._x", []byte("\x00"))
			coursetest.Entry(t, w, ".DS_Store", []byte("\x00"))
		}))
		if err != nil {
			t.Fatalf("%q: %v", prefix, err)
		}
		if got, err := compile.Course(fsys, compile.Options{}); err != nil || got.Digest != want.Digest {
			t.Errorf("%q: another version, or %v", prefix, err)
		}
	}
}

func TestZipFaults(t *testing.T) {
	file := func(name string) func(w *zip.Writer) {
		return func(w *zip.Writer) { coursetest.Entry(t, w, name, []byte("x")) }
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"not a zip", []byte("hello"), "course.not_a_zip"},
		{"empty", nil, "course.not_a_zip"},
		{"cut", archive(t, "", nil)[:400], "course.not_a_zip"},
		{"up", archive(t, "", file("../evil.py")), "course.bad_path"},
		{"up inside", archive(t, "", file("lessons/../../evil.py")), "course.bad_path"},
		{"absolute", archive(t, "", file("/etc/passwd")), "course.bad_path"},
		{"backslash", archive(t, "", file(`lessons\a.md`)), "course.bad_path"},
		{"drive", archive(t, "", file(`C:evil.py`)), "course.bad_path"},
		{"not UTF-8", archive(t, "", file("lessons/\xff.md")), "course.bad_path"},
		{"long path", archive(t, "", file(strings.Repeat("a/", 20000)+"x")), "course.bad_path"},
		{"twice", archive(t, "", file("course.yaml")), "course.duplicate_name"},
		{"twice but for case", archive(t, "", file("COURSE.yaml")), "course.duplicate_name"},
		{"symlink", archive(t, "", func(w *zip.Writer) {
			h := &zip.FileHeader{Name: "lessons/a.md"}
			h.SetMode(fs.ModeSymlink | 0o777)
			coursetest.RawEntry(t, w, h, []byte("/etc/passwd"))
		}), "course.symlink"},
		{"device", archive(t, "", func(w *zip.Writer) {
			h := &zip.FileHeader{Name: "lessons/a.md"}
			h.SetMode(fs.ModeDevice | 0o777)
			coursetest.RawEntry(t, w, h, nil)
		}), "course.not_a_file"},
		{"encrypted", archive(t, "", func(w *zip.Writer) {
			coursetest.RawEntry(t, w, &zip.FileHeader{Name: "lessons/a.md", Flags: 1}, []byte("x"))
		}), "course.zip_encrypted"},
		{"strange packing", archive(t, "", func(w *zip.Writer) {
			coursetest.RawEntry(t, w, &zip.FileHeader{Name: "lessons/a.md", Method: 93}, []byte("x"))
		}), "course.zip_method"},
		{"declares too much", archive(t, "", func(w *zip.Writer) {
			coursetest.RawEntry(t, w, &zip.FileHeader{Name: "lessons/a.md", UncompressedSize64: 1 << 40}, []byte("x"))
		}), "course.file_too_large"},
		{"bomb", archive(t, "", func(w *zip.Writer) { coursetest.Entry(t, w, "lessons/a.md", make([]byte, 20<<20)) }), "course.file_too_large"},
		{"many at the bound", archive(t, "", func(w *zip.Writer) {
			for i := range 100 {
				coursetest.Entry(t, w, fmt.Sprintf("lessons/l%d.md", i), make([]byte, 1<<20))
			}
		}), "course.too_large_in_all"},
		{"many entries", archive(t, "", func(w *zip.Writer) {
			for i := range 20_001 {
				coursetest.RawEntry(t, w, &zip.FileHeader{Name: fmt.Sprintf("lessons/l%d.md", i)}, nil)
			}
		}), "course.too_many_files"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := folder.OpenZip(test.data)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid {
				t.Fatalf("want %s, got %v", test.want, err)
			}
			for _, d := range f.Details {
				if d.Key == test.want {
					return
				}
			}
			t.Errorf("want %s, got %v", test.want, f)
		})
	}
	if _, err := folder.OpenZip(make([]byte, 32<<20+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too large an archive: %v", err)
	}
}

// An archive that lies about a size is found out while it is unpacked, with a bounded read.
func TestZipThatLies(t *testing.T) {
	lying := func(w *zip.Writer) {
		var packed bytes.Buffer
		inner := zip.NewWriter(&packed)
		coursetest.Entry(t, inner, "x", make([]byte, 20<<20))
		if err := inner.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
		if err != nil {
			t.Fatal(err)
		}
		h := r.File[0].FileHeader
		off, err := r.File[0].DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		raw := packed.Bytes()[off : off+int64(h.CompressedSize64)]
		coursetest.RawEntry(t, w, &zip.FileHeader{
			Name: "lessons/third.md", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE([]byte("x")),
			CompressedSize64: h.CompressedSize64, UncompressedSize64: 1,
		}, raw)
	}
	fsys, err := folder.OpenZip(archive(t, "", lying))
	if err != nil {
		t.Fatal(err)
	}
	var f *fault.Error
	if err := folder.Load(fsys).Faults.Err(); !errors.As(err, &f) || len(f.Details) != 1 {
		t.Fatalf("not one fault: %v", err)
	}
	got := fmt.Sprintf("%s:%d %s", f.Details[0].File, f.Details[0].Line, f.Details[0].Key)
	if got != "lessons/third.md:1 course.unreadable" && got != "lessons/third.md:1 course.file_too_large" {
		t.Errorf("got %s", got)
	}
}

func FuzzZip(f *testing.F) {
	// Small seeds: the engine takes long to change large ones.
	for _, name := range []string{"course.yaml", "top/lessons/a.md"} {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		coursetest.Entry(f, w, name, []byte("id: a\n"))
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(buf.Bytes())
	}
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		fsys, err := folder.OpenZip(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		if _, err := compile.Course(fsys, compile.Options{}); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("not a fault: %v", err)
		}
	})
}
