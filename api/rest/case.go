package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Competence frameworks as 1EdTech CASE 1.1 publishes them. What is served is the same for everybody and changes only
// with the program, so anyone may keep it for an hour.
const (
	casePath     = "/ims/case/v1p1/"
	caseFor      = "public, max-age=3600"
	caseVersion  = "1.1"
	caseLimit    = 100
	caseAdopted  = "Adopted"
	caseDraft    = "Draft"
	caseNodeKind = openapi.CFLinkGenURITargetType("CASE")
)

// licences that a link can name.
var licencePages = map[string]string{
	"CC-BY-SA-3.0-IGO": "https://creativecommons.org/licenses/by-sa/3.0/igo/",
	"CC-BY-SA-4.0":     "https://creativecommons.org/licenses/by-sa/4.0/",
	"CC0-1.0":          "https://creativecommons.org/publicdomain/zero/1.0/",
}

// GetAllCFDocuments implements openapi.StrictServerInterface.
func (s *Server) GetAllCFDocuments(_ context.Context, req openapi.GetAllCFDocumentsRequestObject) (openapi.GetAllCFDocumentsResponseObject, error) {
	limit, offset := caseLimit, 0
	if req.Params.Limit != nil {
		limit = *req.Params.Limit
	}
	if req.Params.Offset != nil {
		offset = *req.Params.Offset
	}
	all := framework.Shipped().Documents()
	if offset >= len(all) {
		return nil, fault.New(fault.NotFound, "framework.not_found") // CASE has no empty set of documents
	}
	page := all[offset:min(len(all), offset+limit)]
	body := openapi.CFDocumentSet{CFDocuments: each(page, s.cfDocument)}
	etag, keep := caseTag(body), caseFor
	total, link := len(all), s.casePages(len(all), limit, offset)
	return openapi.GetAllCFDocuments200JSONResponse{
		Body:    body,
		Headers: openapi.GetAllCFDocuments200ResponseHeaders{ETag: &etag, CacheControl: &keep, XTotalCount: &total, Link: &link},
	}, nil
}

// casePages links to the pages around one.
func (s *Server) casePages(total, limit, offset int) string {
	var out []string
	link := func(rel string, offset int) {
		q := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
		out = append(out, "<"+s.caseBase()+"CFDocuments?"+q.Encode()+">; rel="+strconv.Quote(rel))
	}
	link("first", 0)
	if offset+limit < total {
		link("next", offset+limit)
	}
	if offset > 0 {
		link("prev", max(0, offset-limit))
	}
	link("last", (total-1)/limit*limit)
	return strings.Join(out, ", ")
}

// GetCFDocument implements openapi.StrictServerInterface.
func (s *Server) GetCFDocument(_ context.Context, req openapi.GetCFDocumentRequestObject) (openapi.GetCFDocumentResponseObject, error) {
	d, err := caseFind(req.SourcedID, framework.Shipped().Document)
	if err != nil {
		return nil, err
	}
	body := s.cfDocument(d)
	etag, keep := caseTag(body), caseFor
	return openapi.GetCFDocument200JSONResponse{Body: body, Headers: openapi.GetCFDocument200ResponseHeaders{ETag: &etag, CacheControl: &keep}}, nil
}

// GetCFPackage implements openapi.StrictServerInterface.
func (s *Server) GetCFPackage(_ context.Context, req openapi.GetCFPackageRequestObject) (openapi.GetCFPackageResponseObject, error) {
	d, err := caseFind(req.SourcedID, framework.Shipped().Document)
	if err != nil {
		return nil, err
	}
	doc := s.cfDocument(d)
	items := each(d.Items, func(it *framework.Item) openapi.CFPckgItem { return s.cfItem(it).pckg() })
	ties := each(d.Associations, s.cfPckgAssociation)
	body := openapi.CFPackage{
		CFDocument: openapi.CFPckgDocument{
			Identifier: doc.Identifier, URI: doc.URI, CaseVersion: (*openapi.CFPckgDocumentCaseVersion)(doc.CaseVersion), Creator: doc.Creator, Title: doc.Title,
			LastChangeDateTime: doc.LastChangeDateTime, OfficialSourceURL: doc.OfficialSourceURL, Publisher: doc.Publisher, Subject: doc.Subject,
			Language: doc.Language, Version: doc.Version, AdoptionStatus: doc.AdoptionStatus, LicenseURI: doc.LicenseURI, Notes: doc.Notes,
		},
		CFItems: &items, CFAssociations: &ties,
	}
	if l := doc.LicenseURI; l != nil {
		body.CFDefinitions = &openapi.CFDefinition{CFLicenses: &[]openapi.CFLicense{{
			Identifier: l.Identifier, URI: l.URI, Title: l.Title, LicenseText: l.Title + " " + l.URI, LastChangeDateTime: doc.LastChangeDateTime,
		}}}
	}
	etag, keep := caseTag(body), caseFor
	return openapi.GetCFPackage200JSONResponse{Body: body, Headers: openapi.GetCFPackage200ResponseHeaders{ETag: &etag, CacheControl: &keep}}, nil
}

// GetCFItem implements openapi.StrictServerInterface.
func (s *Server) GetCFItem(_ context.Context, req openapi.GetCFItemRequestObject) (openapi.GetCFItemResponseObject, error) {
	it, err := caseFind(req.SourcedID, framework.Shipped().Item)
	if err != nil {
		return nil, err
	}
	body := openapi.CFItem(s.cfItem(it))
	etag, keep := caseTag(body), caseFor
	return openapi.GetCFItem200JSONResponse{Body: body, Headers: openapi.GetCFItem200ResponseHeaders{ETag: &etag, CacheControl: &keep}}, nil
}

// GetCFItemAssociations implements openapi.StrictServerInterface.
func (s *Server) GetCFItemAssociations(_ context.Context, req openapi.GetCFItemAssociationsRequestObject) (openapi.GetCFItemAssociationsResponseObject, error) {
	set := framework.Shipped()
	it, err := caseFind(req.SourcedID, set.Item)
	if err != nil {
		return nil, err
	}
	body := openapi.CFAssociationSet{CFItem: openapi.CFItem(s.cfItem(it)), CFAssociations: each(set.Associations(it), s.cfPckgAssociation)}
	etag, keep := caseTag(body), caseFor
	return openapi.GetCFItemAssociations200JSONResponse{
		Body: body, Headers: openapi.GetCFItemAssociations200ResponseHeaders{ETag: &etag, CacheControl: &keep},
	}, nil
}

// GetCFAssociation implements openapi.StrictServerInterface.
func (s *Server) GetCFAssociation(_ context.Context, req openapi.GetCFAssociationRequestObject) (openapi.GetCFAssociationResponseObject, error) {
	a, err := caseFind(req.SourcedID, framework.Shipped().Association)
	if err != nil {
		return nil, err
	}
	p, in := s.cfPckgAssociation(a), s.caseLink("CFDocuments", a.Document.Identifier, a.Document.Title)
	body := openapi.CFAssociation{
		Identifier: p.Identifier, AssociationType: openapi.CFAssociationAssociationType(p.AssociationType), SequenceNumber: p.SequenceNumber, URI: p.URI,
		OriginNodeURI: p.OriginNodeURI, DestinationNodeURI: p.DestinationNodeURI, LastChangeDateTime: p.LastChangeDateTime, CFDocumentURI: &in,
	}
	etag, keep := caseTag(body), caseFor
	return openapi.GetCFAssociation200JSONResponse{Body: body, Headers: openapi.GetCFAssociation200ResponseHeaders{ETag: &etag, CacheControl: &keep}}, nil
}

// caseFind finds a thing by the UUID that somebody sent. CASE wants 404 for what is no UUID, too.
func caseFind[T any](id string, find func(string) *T) (*T, error) {
	if err := uuid.Validate(id); err != nil || len(id) != 36 {
		return nil, fault.New(fault.NotFound, "framework.bad_identifier")
	}
	if v := find(strings.ToLower(id)); v != nil {
		return v, nil
	}
	return nil, fault.New(fault.NotFound, "framework.not_found")
}

// caseTag names the bytes of an answer.
func caseTag(body any) string {
	data, _ := json.Marshal(body) // strings, numbers and times
	return `"` + blob.Of(data).Hex()[:32] + `"`
}

func (s *Server) caseBase() string { return strings.TrimRight(s.PublicURL, "/") + casePath }

func (s *Server) caseLink(kind, identifier, title string) openapi.CFLinkURI {
	return openapi.CFLinkURI{Title: title, Identifier: identifier, URI: s.caseBase() + kind + "/" + identifier}
}

func (s *Server) cfDocument(d *framework.Document) openapi.CFDocument {
	f := d.Framework
	version, status, publisher := openapi.CFDocumentCaseVersion(caseVersion), caseDraft, f.Publisher
	var notes []string
	switch {
	case d.Translation:
		publisher = "Banyan"
		notes = append(notes, s.Words.T(d.Language, "framework.translated", nil))
	case f.Status == framework.Published:
		status = caseAdopted
	}
	if f.Note != "" && !d.Translation {
		notes = append(notes, f.Note)
	}
	return openapi.CFDocument{
		Identifier: d.Identifier, URI: s.caseBase() + "CFDocuments/" + d.Identifier, CaseVersion: &version, Creator: f.Publisher, Title: d.Title,
		LastChangeDateTime: caseTime(f), OfficialSourceURL: &f.Source, Publisher: &publisher, Language: &d.Language, Version: &f.Version,
		AdoptionStatus: &status, LicenseURI: caseLicence(f), Notes: optional(strings.Join(notes, " ")), CFPackageURI: s.caseLink("CFPackages", d.Identifier, d.Title),
	}
}

func caseTime(f *framework.Framework) time.Time { return f.ChangedAt.UTC() }

func caseLicence(f *framework.Framework) *openapi.CFLinkURI {
	page, ok := licencePages[f.Licence]
	if !ok {
		return nil
	}
	return &openapi.CFLinkURI{Title: f.Licence, Identifier: framework.Identifier("licence " + f.Licence), URI: page}
}

type cfItem openapi.CFItem

func (s *Server) cfItem(it *framework.Item) cfItem {
	return cfItem{
		Identifier: it.Identifier, FullStatement: it.Statement, CFItemType: &it.Type, URI: s.caseBase() + "CFItems/" + it.Identifier, HumanCodingScheme: &it.Code,
		Language: &it.Document.Language, LicenseURI: caseLicence(it.Document.Framework), LastChangeDateTime: caseTime(it.Document.Framework),
		CFDocumentURI: s.caseLink("CFDocuments", it.Document.Identifier, it.Document.Title),
	}
}

// pckg is the item as it stands in a package, which says of all of them at once whose they are.
func (it cfItem) pckg() openapi.CFPckgItem {
	return openapi.CFPckgItem{
		Identifier: it.Identifier, FullStatement: it.FullStatement, CFItemType: it.CFItemType, URI: it.URI, HumanCodingScheme: it.HumanCodingScheme,
		Language: it.Language, LicenseURI: it.LicenseURI, LastChangeDateTime: it.LastChangeDateTime,
	}
}

func (s *Server) cfPckgAssociation(a *framework.Association) openapi.CFPckgAssociation {
	node := func(n framework.Node) openapi.CFLinkGenURI {
		kind, target := "CFItems/", caseNodeKind
		if n.Document {
			kind = "CFDocuments/"
		}
		return openapi.CFLinkGenURI{Title: n.Title, Identifier: n.Identifier, URI: s.caseBase() + kind + n.Identifier, TargetType: &target}
	}
	out := openapi.CFPckgAssociation{
		Identifier: a.Identifier, AssociationType: openapi.CFPckgAssociationAssociationType(a.Type), URI: s.caseBase() + "CFAssociations/" + a.Identifier,
		OriginNodeURI: node(a.From), DestinationNodeURI: node(a.To), LastChangeDateTime: caseTime(a.Document.Framework),
	}
	if n := int32(a.Sequence); n > 0 { //nolint:gosec // at most 200
		out.SequenceNumber = &n
	}
	return out
}

// caseStatus is what CASE calls our codes.
var caseStatus = map[fault.Code]openapi.CaseCodeMinorFieldImsxCodeMinorFieldValue{
	fault.NotFound: "unknownobject", fault.Invalid: "invalid_selection_field", fault.Denied: "forbidden", fault.Unauthenticated: "unauthorised_request",
	fault.TooMany: "server_busy", fault.Unavailable: "server_busy",
}

// writeCaseStatus answers with imsx_StatusInfo. Its description is in the reader's language.
func (s *Server) writeCaseStatus(c echo.Context, f *fault.Error) {
	locale := middleware.Locale(c.Request().Context())
	minor, field, status := caseStatus[f.Code], "sourcedId", Status(f)
	if minor == "" {
		minor = "internal_server_error"
	}
	switch {
	case f.Key == "framework.bad_identifier":
		minor = "invalid_uuid"
	case len(f.Details) > 0:
		field = strings.TrimPrefix(f.Details[0].Pointer, "#query/")
	}
	if f.Code == fault.Invalid && status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest // CASE knows no 422
	}
	out := openapi.CaseStatusInfo{
		ImsxCodeMajor: "failure", ImsxSeverity: "error", ImsxDescription: optional(s.Words.T(locale, f.Key, f.Args)),
		ImsxCodeMinor: &openapi.CaseCodeMinor{ImsxCodeMinorField: []openapi.CaseCodeMinorField{{
			ImsxCodeMinorFieldName: field, ImsxCodeMinorFieldValue: minor,
		}}},
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", locale)
	_ = c.JSON(status, out) // the reader has gone: nothing to tell
}
