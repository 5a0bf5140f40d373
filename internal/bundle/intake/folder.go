package intake

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
)

// Folder reads the folder form: <course>.root, publisher-<serial>.json, trust.json, blobs/<2 hex>/<64 hex>. It brings what is
// there in the order of a pack and passes over what is not. course may be "" when the folder holds one.
func Folder(dir fs.FS, course string) (bundle.Carrier, error) {
	roots, err := fs.Glob(dir, "*.root")
	if err != nil {
		return nil, err
	}
	name := course + ".root"
	if course == "" && len(roots) == 1 {
		name = roots[0]
	}
	if !slices.Contains(roots, name) {
		return nil, bundle.Refuse("not_a_bundle", fs.ErrNotExist)
	}
	f := &folder{dir: dir, seen: map[blob.Digest]bool{}}
	publishers, err := fs.Glob(dir, "publisher-*.json")
	if err != nil {
		return nil, err
	}
	for serial := 1; slices.Contains(publishers, publisherFile(serial)); serial++ {
		f.heads = append(f.heads, headFile{bundle.PublisherFrame, publisherFile(serial)})
	}
	if _, err := fs.Stat(dir, "trust.json"); err == nil {
		f.heads = append(f.heads, headFile{bundle.TrustFrame, "trust.json"})
	}
	f.heads = append(f.heads, headFile{bundle.RootFrame, name})
	return f, nil
}

func publisherFile(serial int) string { return "publisher-" + strconv.Itoa(serial) + ".json" }

func blobFile(d blob.Digest) string { return path.Join("blobs", d.Hex()[:2], d.Hex()) }

type headFile struct {
	kind bundle.Kind
	name string
}

// folder walks down from the root. What it reads on the way it believes only so far as to find the next file: the intake checks.
type folder struct {
	dir   fs.FS
	heads []headFile
	ranks [bundle.ListRank + 1][]bundle.Child
	seen  map[blob.Digest]bool
}

func (f *folder) Next() (bundle.Frame, error) {
	if len(f.heads) > 0 {
		h := f.heads[0]
		f.heads = f.heads[1:]
		data, err := f.read(h.name, bundle.MaxSigned)
		if err != nil {
			return bundle.Frame{}, err
		}
		f.names(h.kind, data)
		return bundle.Frame{Kind: h.kind, Payload: data}, nil
	}
	for rank := range f.ranks {
		for len(f.ranks[rank]) > 0 {
			c := f.ranks[rank][0]
			f.ranks[rank] = f.ranks[rank][1:]
			if _, err := fs.Stat(f.dir, blobFile(c.Digest)); err != nil {
				continue
			}
			data, err := f.read(blobFile(c.Digest), bundle.MaxFrame)
			if err != nil {
				return bundle.Frame{}, err
			}
			if blob.Of(data) != c.Digest {
				return bundle.Frame{}, bundle.Damaged("file %s holds something else", blobFile(c.Digest))
			}
			if c.Manifest() {
				if below, err := c.Read(data); err == nil {
					f.push(below)
				}
			}
			return bundle.Frame{Kind: bundle.BlobFrame, Payload: data}, nil
		}
	}
	return bundle.Frame{}, io.EOF
}

func (f *folder) names(kind bundle.Kind, data []byte) {
	s, err := bundle.ReadSigned(data)
	if err != nil {
		return
	}
	switch kind {
	case bundle.RootFrame:
		if r, err := bundle.ParseRoot(s.Document); err == nil {
			f.push(r.Children())
		}
	case bundle.TrustFrame:
		if t, err := bundle.ReadTrust(data); err == nil {
			f.push(t.Children())
		}
	}
}

func (f *folder) push(below []bundle.Child) {
	for _, c := range below {
		if c.Digest.Valid() && !f.seen[c.Digest] && len(f.seen) < bundle.MaxNamed {
			f.seen[c.Digest] = true
			f.ranks[c.Rank] = append(f.ranks[c.Rank], c)
		}
	}
}

func (f *folder) read(name string, most int64) ([]byte, error) {
	file, err := f.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, bundle.Damaged("file %s has more than %d bytes", name, most)
	}
	return data, nil
}

// FolderName gives the file of a frame in the folder form, for who writes one.
func FolderName(f bundle.Frame, course string) string {
	switch f.Kind {
	case bundle.PublisherFrame:
		if s, err := bundle.ReadSigned(f.Payload); err == nil {
			if p, err := bundle.ParsePublisher(s.Document); err == nil {
				return publisherFile(p.Serial)
			}
		}
		return ""
	case bundle.TrustFrame:
		return "trust.json"
	case bundle.RootFrame:
		return strings.TrimSuffix(course, "/") + ".root"
	}
	return blobFile(blob.Of(f.Payload))
}
