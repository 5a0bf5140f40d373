package rest

import (
	"context"
	"io"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// ListInstitutions implements openapi.StrictServerInterface.
func (s *Server) ListInstitutions(ctx context.Context, req openapi.ListInstitutionsRequestObject) (openapi.ListInstitutionsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Institution.List(ctx, identity.InstitutionID(after), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListInstitutions200JSONResponse{
		Items: each(list, func(i institution.Institution) openapi.Institution { return institutionJSON(ctx, i) }),
		Next:  next(list, limit, func(i institution.Institution) string { return string(i.ID) }),
	}, nil
}

// CreateInstitution implements openapi.StrictServerInterface.
func (s *Server) CreateInstitution(ctx context.Context, req openapi.CreateInstitutionRequestObject) (openapi.CreateInstitutionResponseObject, error) {
	i, err := s.Institution.Create(ctx, actorFrom(ctx), req.Body.Slug, req.Body.Name)
	if err != nil {
		return nil, err
	}
	return openapi.CreateInstitution201JSONResponse(institutionJSON(ctx, i)), nil
}

// FindInstitution implements openapi.StrictServerInterface.
func (s *Server) FindInstitution(ctx context.Context, req openapi.FindInstitutionRequestObject) (openapi.FindInstitutionResponseObject, error) {
	i, err := s.Institution.Find(ctx, identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.FindInstitution200JSONResponse(institutionJSON(ctx, i)), nil
}

// UpdateInstitution implements openapi.StrictServerInterface.
func (s *Server) UpdateInstitution(ctx context.Context, req openapi.UpdateInstitutionRequestObject) (openapi.UpdateInstitutionResponseObject, error) {
	i, err := s.Institution.Update(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), institution.Change{
		Fallbacks: (*map[string][]string)(req.Body.Fallbacks), Locale: req.Body.Locale,
		Name: req.Body.Name, Names: (*map[string]string)(req.Body.Names), Country: req.Body.Country, Domain: req.Body.Domain,
		Signatories: signatoriesOf(req.Body.Signatories),
	})
	if err != nil {
		return nil, err
	}
	return openapi.UpdateInstitution200JSONResponse(institutionJSON(ctx, i)), nil
}

func signatoriesOf(list *[]openapi.SignatorySettings) *[]institution.Signatory {
	if list == nil {
		return nil
	}
	out := each(*list, func(s openapi.SignatorySettings) institution.Signatory {
		return institution.Signatory{ID: s.ID, Name: s.Name, Title: deref(s.Title)}
	})
	return &out
}

// GetDomain implements openapi.StrictServerInterface.
func (s *Server) GetDomain(ctx context.Context, req openapi.GetDomainRequestObject) (openapi.GetDomainResponseObject, error) {
	in, err := s.Institution.FindDomain(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.GetDomain200JSONResponse(s.domainJSON(ctx, in)), nil
}

// CheckDomain implements openapi.StrictServerInterface.
func (s *Server) CheckDomain(ctx context.Context, req openapi.CheckDomainRequestObject) (openapi.CheckDomainResponseObject, error) {
	in, err := s.Institution.CheckDomain(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.CheckDomain200JSONResponse(s.domainJSON(ctx, in)), nil
}

// ConfirmDomain implements openapi.StrictServerInterface.
func (s *Server) ConfirmDomain(ctx context.Context, req openapi.ConfirmDomainRequestObject) (openapi.ConfirmDomainResponseObject, error) {
	in, err := s.Institution.ConfirmDomain(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), req.Body.Domain)
	if err != nil {
		return nil, err
	}
	return openapi.ConfirmDomain200JSONResponse(s.domainJSON(ctx, in)), nil
}

func (s *Server) domainJSON(ctx context.Context, in institution.Institution) openapi.Domain {
	o := in.Ownership
	out := openapi.Domain{
		Domain: optional(in.Domain), Claim: optional(o.Claim), Proof: optional(openapi.DomainProof(o.Proof)), ProvenAt: optional(o.ProvenAt),
		CheckedAt: optional(o.CheckedAt), Problem: optional(openapi.DomainProblem(o.Problem)),
	}
	if o.Problem != "" {
		out.Detail = optional(s.Words.T(middleware.Locale(ctx), "institution.domain."+string(o.Problem), nil))
	}
	if domain := in.Wanted(); domain != "" {
		r := s.Institution.RecordOf(in.ID, domain)
		out.Record = &openapi.DomainRecord{Name: r.Name, URL: r.URL, Value: r.Value}
	}
	return out
}

// SetLogo implements openapi.StrictServerInterface.
func (s *Server) SetLogo(ctx context.Context, req openapi.SetLogoRequestObject) (openapi.SetLogoResponseObject, error) {
	file, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, middleware.BodyFault(err)
	}
	i, err := s.Institution.SetLogo(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), file)
	if err != nil {
		return nil, err
	}
	return openapi.SetLogo200JSONResponse(institutionJSON(ctx, i)), nil
}

// RemoveLogo implements openapi.StrictServerInterface.
func (s *Server) RemoveLogo(ctx context.Context, req openapi.RemoveLogoRequestObject) (openapi.RemoveLogoResponseObject, error) {
	if err := s.Institution.RemoveLogo(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID)); err != nil {
		return nil, err
	}
	return openapi.RemoveLogo204Response{}, nil
}

// SetSignature implements openapi.StrictServerInterface.
func (s *Server) SetSignature(ctx context.Context, req openapi.SetSignatureRequestObject) (openapi.SetSignatureResponseObject, error) {
	file, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, middleware.BodyFault(err)
	}
	i, err := s.Institution.SetSignature(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), req.SignatoryID, file)
	if err != nil {
		return nil, err
	}
	return openapi.SetSignature200JSONResponse(institutionJSON(ctx, i)), nil
}

// RemoveSignature implements openapi.StrictServerInterface.
func (s *Server) RemoveSignature(ctx context.Context, req openapi.RemoveSignatureRequestObject) (openapi.RemoveSignatureResponseObject, error) {
	if err := s.Institution.RemoveSignature(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), req.SignatoryID); err != nil {
		return nil, err
	}
	return openapi.RemoveSignature204Response{}, nil
}

// ListMembers implements openapi.StrictServerInterface.
func (s *Server) ListMembers(ctx context.Context, req openapi.ListMembersRequestObject) (openapi.ListMembersResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Institution.ListMembers(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(after), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListMembers200JSONResponse{
		Items: each(list, memberJSON),
		Next:  next(list, limit, func(m institution.Member) string { return string(m.UserID) }),
	}, nil
}

// CreateMember implements openapi.StrictServerInterface.
func (s *Server) CreateMember(ctx context.Context, req openapi.CreateMemberRequestObject) (openapi.CreateMemberResponseObject, error) {
	role := identity.Role(req.Body.Role)
	u, err := s.Institution.CreateMember(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), institution.NewMember{
		Username: req.Body.Username, DisplayName: req.Body.DisplayName, Password: req.Body.Password, Locale: deref(req.Body.Locale), Role: role,
	})
	if err != nil {
		return nil, err
	}
	return openapi.CreateMember201JSONResponse(memberJSON(institution.Member{
		UserID: u.ID, Username: u.Username, DisplayName: u.DisplayName, Roles: []identity.Role{role},
	})), nil
}

// AddRole implements openapi.StrictServerInterface.
func (s *Server) AddRole(ctx context.Context, req openapi.AddRoleRequestObject) (openapi.AddRoleResponseObject, error) {
	err := s.Institution.AddRole(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(req.UserID), identity.Role(req.Role))
	if err != nil {
		return nil, err
	}
	return openapi.AddRole204Response{}, nil
}

// RemoveRole implements openapi.StrictServerInterface.
func (s *Server) RemoveRole(ctx context.Context, req openapi.RemoveRoleRequestObject) (openapi.RemoveRoleResponseObject, error) {
	err := s.Institution.RemoveRole(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(req.UserID), identity.Role(req.Role))
	if err != nil {
		return nil, err
	}
	return openapi.RemoveRole204Response{}, nil
}

// institutionJSON says the name in the reader's language.
func institutionJSON(ctx context.Context, i institution.Institution) openapi.Institution {
	locale := middleware.Locale(ctx)
	name, lang := i.NameIn(locale)
	if lang == locale {
		lang = ""
	}
	out := openapi.Institution{
		ID: string(i.ID), Slug: i.Slug, Name: name, NameLang: optional(lang), FallbackName: &i.Name, Locale: optional(i.Locale),
		Country: optional(i.Country), Domain: optional(i.Domain), Logo: pictureJSON(i.Logo),
	}
	if len(i.Names) > 0 {
		names := openapi.Names(i.Names)
		out.Names = &names
	}
	if len(i.Signatories) > 0 {
		list := each(i.Signatories, signatoryJSON)
		out.Signatories = &list
	}
	if len(i.Fallbacks) > 0 {
		f := openapi.Fallbacks(i.Fallbacks)
		out.Fallbacks = &f
	}
	return out
}

func signatoryJSON(s institution.Signatory) openapi.Signatory {
	out := openapi.Signatory{ID: s.ID, Name: s.Name, Signature: pictureJSON(s.Signature)}
	if len(s.Title) > 0 {
		title := openapi.Names(s.Title)
		out.Title = &title
	}
	return out
}

func pictureJSON(p *institution.Picture) *openapi.Picture {
	if p == nil {
		return nil
	}
	return &openapi.Picture{URL: p.Path(), Width: p.Width, Height: p.Height}
}

func memberJSON(m institution.Member) openapi.Member {
	return openapi.Member{
		UserID: string(m.UserID), Username: m.Username, DisplayName: m.DisplayName,
		Roles: each(m.Roles, func(r identity.Role) openapi.Role { return openapi.Role(r) }),
	}
}
