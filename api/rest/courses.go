package rest

import (
	"bytes"
	"context"
	"io"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListCourses implements openapi.StrictServerInterface.
func (s *Server) ListCourses(ctx context.Context, req openapi.ListCoursesRequestObject) (openapi.ListCoursesResponseObject, error) {
	after, err := courseCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	list, cursor, err := s.Curriculum.List(ctx, after, limitOf(req.Params.Limit))
	if err != nil {
		return nil, err
	}
	var ids bytes.Buffer // versions never change: their ids say all
	for _, v := range list {
		ids.WriteString(string(v.ID))
	}
	etag := `"` + blob.Of(ids.Bytes()).Hex()[:32] + `"`
	return openapi.ListCourses200JSONResponse{
		Body: openapi.CourseList{
			Items: each(list, courseSummaryJSON),
			Next:  wrapCursor(cursor),
		},
		Headers: openapi.ListCourses200ResponseHeaders{ETag: &etag},
	}, nil
}

// GetCourse implements openapi.StrictServerInterface.
func (s *Server) GetCourse(ctx context.Context, req openapi.GetCourseRequestObject) (openapi.GetCourseResponseObject, error) {
	find := func() (curriculum.Version, error) {
		return s.Curriculum.FindLatest(ctx, curriculum.CourseID(req.CourseID))
	}
	if n := req.Params.Version; n != nil {
		find = func() (curriculum.Version, error) {
			return s.Curriculum.FindVersionNumber(ctx, curriculum.CourseID(req.CourseID), *n)
		}
	}
	v, err := find()
	if err != nil {
		return nil, err
	}
	etag := `"` + v.Digest.Hex()[:32] + `"`
	return openapi.GetCourse200JSONResponse{Body: versionJSON(v), Headers: openapi.GetCourse200ResponseHeaders{ETag: &etag}}, nil
}

// GetBlob implements openapi.StrictServerInterface.
func (s *Server) GetBlob(ctx context.Context, req openapi.GetBlobRequestObject) (openapi.GetBlobResponseObject, error) {
	data, err := s.Shelf.Blob(ctx, blob.Digest(req.Digest))
	if err != nil {
		return nil, err
	}
	etag, forever := `"`+req.Digest+`"`, "public, max-age=31536000, immutable"
	return openapi.GetBlob200ApplicationOctetStreamResponse{
		Body: bytes.NewReader(data), ContentLength: int64(len(data)),
		Headers: openapi.GetBlob200ResponseHeaders{ETag: &etag, CacheControl: &forever},
	}, nil
}

// PublishCourse implements openapi.StrictServerInterface.
func (s *Server) PublishCourse(ctx context.Context, req openapi.PublishCourseRequestObject) (openapi.PublishCourseResponseObject, error) {
	who := actorFrom(ctx)
	if !who.MayPublish(req.InstitutionID) { // Publish asks too; here, before 32 MiB are read from somebody who may not
		return nil, fault.New(fault.Denied, "course.publish_denied")
	}
	if _, err := s.Institution.Find(ctx, identity.InstitutionID(req.InstitutionID)); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, middleware.BodyFault(err)
	}
	course, err := folder.OpenZip(data)
	if err != nil {
		return nil, err
	}
	v, created, err := s.Curriculum.Publish(ctx, who, req.InstitutionID, course)
	if err != nil {
		return nil, err
	}
	out := versionJSON(v)
	if len(v.Advice) > 0 {
		advice := detailsJSON(s.Words, middleware.Locale(ctx), v.Advice)
		out.Advice = &advice
	}
	if !created {
		return openapi.PublishCourse200JSONResponse(out), nil
	}
	return openapi.PublishCourse201JSONResponse(out), nil
}

func courseSummaryJSON(v curriculum.Version) openapi.CourseSummary {
	m := &v.Manifest
	count := map[curriculum.Kind]int{}
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			count[it.Kind]++
		}
	}
	return openapi.CourseSummary{
		CourseID: string(v.CourseID), VersionID: string(v.ID), Number: v.Number, Title: openapi.Text(m.Title), Summary: openapi.Text(m.Summary),
		TitleLang: langsJSON(m.Title, m.TitleLang, m.SourceLocale), SummaryLang: langsJSON(m.Summary, m.SummaryLang, m.SourceLocale),
		SourceLocale: m.SourceLocale, Locales: m.Locales, Minutes: m.Minutes,
		Lessons: count[curriculum.Lesson], Quizzes: count[curriculum.Quiz], Labs: count[curriculum.Lab],
	}
}

func versionJSON(v curriculum.Version) openapi.CourseVersion {
	m := &v.Manifest
	out := openapi.CourseVersion{
		VersionID: string(v.ID), CourseID: string(v.CourseID), InstitutionID: v.InstitutionID, Number: v.Number, Digest: string(v.Digest),
		PublishedAt: v.PublishedAt, Title: openapi.Text(m.Title), Summary: openapi.Text(m.Summary), SourceLocale: m.SourceLocale,
		TitleLang: langsJSON(m.Title, m.TitleLang, m.SourceLocale), SummaryLang: langsJSON(m.Summary, m.SummaryLang, m.SourceLocale),
		Locales: m.Locales, Licence: m.Licence, Authors: m.Authors, Minutes: m.Minutes,
		Modules: each(m.Modules, func(mod curriculum.Module) openapi.Module {
			return openapi.Module{
				ID: mod.ID, Title: openapi.Text(mod.Title), TitleLang: langsJSON(mod.Title, mod.TitleLang, m.SourceLocale),
				Items: each(mod.Items, func(it curriculum.Item) openapi.Item { return itemJSON(it, m.SourceLocale) }),
			}
		}),
	}
	var attested []struct {
		ID           string       `json:"id"`
		Name         openapi.Text `json:"name"`
		SourceLocale string       `json:"source_locale"`
	}
	for _, g := range framework.Shipped().Group(m.Achievement.Competences) {
		for _, c := range g.Competences {
			attested = append(attested, struct {
				ID           string       `json:"id"`
				Name         openapi.Text `json:"name"`
				SourceLocale string       `json:"source_locale"`
			}{c.ID, openapi.Text(c.Name), g.Framework.Language})
		}
	}
	if attested != nil {
		out.Competences = &attested
	}
	return out
}

func itemJSON(it curriculum.Item, source curriculum.Locale) openapi.Item {
	out := openapi.Item{
		ID: string(it.ID), Kind: openapi.ItemKind(it.Kind), Title: openapi.Text(it.Title), TitleLang: langsJSON(it.Title, it.TitleLang, source),
		Graded: optional(it.Graded), Fragment: digestsJSON(it.Fragment), Data: digestsJSON(it.Data),
	}
	if it.Words != nil {
		out.Words = &it.Words
	}
	if it.Weight != nil {
		weight := map[string]openapi.Weight{}
		for l, w := range it.Weight {
			weight[l] = openapi.Weight{Text: w.Text, Pictures: w.Pictures, All: w.All}
		}
		out.Weight = &weight
	}
	return out
}

func digestsJSON(ds map[curriculum.Locale]blob.Digest) *map[string]string {
	if ds == nil {
		return nil
	}
	out := make(map[string]string, len(ds))
	for l, d := range ds {
		out[l] = string(d)
	}
	return &out
}
