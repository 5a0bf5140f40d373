package web

import (
	"bytes"
	"context"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/blob"
)

// mediaTypes are the pictures and recordings that courses may show.
var mediaTypes = map[string]string{
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp",
	".opus": "audio/ogg", ".ogg": "audio/ogg", ".mp3": "audio/mpeg", ".wav": "audio/wav",
}

var mediaFile = regexp.MustCompile(`^[0-9a-f]{64}\.[a-z0-9]{2,5}$`)

// mediaPolicy keeps a drawing that is opened by itself from doing anything. The compiler lets only shapes and words
// through; this is the second wall.
var mediaPolicy = []string{"default-src 'none'; sandbox"}

// media serves a picture or a recording of a course by its digest. It never changes.
func (s *Site) media(c echo.Context) error {
	file := c.Param("file")
	ext := path.Ext(file)
	if !mediaFile.MatchString(file) || mediaTypes[ext] == "" {
		return errNoPage
	}
	d := blob.Digest("sha256:" + strings.TrimSuffix(file, ext))
	h := c.Response().Header()
	h["Content-Security-Policy"] = mediaPolicy
	if ext == ".svg" {
		p, err := s.cache.findOrRender(c.Request().Context(), key{item: "media/" + file}, func(ctx context.Context) (*page, error) {
			data, err := s.cfg.Courses.PublicBlob(ctx, d)
			if err != nil {
				return nil, err
			}
			if !bytes.HasPrefix(data, []byte("<svg ")) {
				return nil, errNoPage // another blob, under a name that it has not
			}
			return newPage(mediaTypes[ext], immutable, data), nil
		})
		if err != nil {
			return err
		}
		return s.compressor.serve(c, p)
	}
	data, err := s.cfg.Courses.PublicBlob(c.Request().Context(), d)
	if err != nil {
		return err
	}
	if strings.HasPrefix(mediaTypes[ext], "image/") && http.DetectContentType(data) != mediaTypes[ext] {
		return errNoPage
	}
	h["Cache-Control"] = immutable
	h["Content-Type"] = []string{mediaTypes[ext]}
	h["Etag"] = []string{`"` + string(d) + `"`}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(data)) // recordings are asked for in parts
	return nil
}
