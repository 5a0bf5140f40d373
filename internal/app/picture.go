package app

import (
	"errors"

	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/institution"
)

// draw draws a PNG or JPEG file anew as the pictures of courses are drawn, at the width of a phone: on paper that is 40 mm at 228 points
// an inch. What the file is, its first bytes say.
func draw(file []byte) ([]byte, institution.Picture, error) {
	bad := fault.New(fault.Invalid, "request.invalid")
	ext := media.Raster(file)
	if ext == "" {
		return nil, institution.Picture{}, bad.At(fault.Detail{Key: "institution.bad_picture"})
	}
	p, err := media.ReadPicture(ext, file)
	var refused *media.RefusedError
	if errors.As(err, &refused) {
		d := fault.Detail{Key: refused.Key, Args: map[string]any{}}
		for i := 0; i+1 < len(refused.Args); i += 2 {
			d.Args[refused.Args[i]] = refused.Args[i+1]
		}
		return nil, institution.Picture{}, bad.At(d)
	}
	if err != nil {
		return nil, institution.Picture{}, err
	}
	c := p.Cuts[0]
	return c.Data, institution.Picture{Ext: c.Ext, Width: c.Width, Height: c.Height}, nil
}
