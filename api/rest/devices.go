package rest

import (
	"context"
	"encoding/base64"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
)

// CreateDevice implements openapi.StrictServerInterface.
func (s *Server) CreateDevice(ctx context.Context, req openapi.CreateDeviceRequestObject) (openapi.CreateDeviceResponseObject, error) {
	r, err := s.Identity.RegisterDevice(ctx, actorFrom(ctx), identity.NewDevice{
		ID: identity.DeviceID(req.Body.ID), Name: req.Body.Name, PublicKey: identity.PublicKey{X: req.Body.PublicKey.X, Y: req.Body.PublicKey.Y},
	})
	if err != nil {
		return nil, err
	}
	return openapi.CreateDevice201JSONResponse{
		ID: string(r.Device.ID), Token: r.Token, Epoch: r.Device.Epoch, LeaseUntil: r.Device.LeaseUntil,
		RecoveryKey: openapi.PublicKey{Kty: openapi.PublicKeyKtyEC, Crv: openapi.PublicKeyCrvP256, X: r.Recovery.X, Y: r.Recovery.Y},
	}, nil
}

// ListDevices implements openapi.StrictServerInterface.
func (s *Server) ListDevices(ctx context.Context, _ openapi.ListDevicesRequestObject) (openapi.ListDevicesResponseObject, error) {
	by := actorFrom(ctx)
	list, err := s.Identity.ListDevices(ctx, by)
	if err != nil {
		return nil, err
	}
	return openapi.ListDevices200JSONResponse{Items: devicesJSON(by, list)}, nil
}

// ListMemberDevices implements openapi.StrictServerInterface.
func (s *Server) ListMemberDevices(ctx context.Context, req openapi.ListMemberDevicesRequestObject) (openapi.ListMemberDevicesResponseObject, error) {
	by := actorFrom(ctx)
	list, err := s.Identity.ListMemberDevices(ctx, by, identity.InstitutionID(req.InstitutionID), identity.UserID(req.UserID))
	if err != nil {
		return nil, err
	}
	return openapi.ListMemberDevices200JSONResponse{Items: devicesJSON(by, list)}, nil
}

func devicesJSON(by identity.Actor, list []identity.Device) []openapi.Device {
	return each(list, func(d identity.Device) openapi.Device {
		return openapi.Device{
			ID: string(d.ID), Name: d.Name, Epoch: d.Epoch, CreatedAt: d.CreatedAt, LastSeenAt: d.LastSeenAt, LeaseUntil: d.LeaseUntil,
			Current: d.ID == by.Device,
		}
	})
}

// RevokeDevice implements openapi.StrictServerInterface.
func (s *Server) RevokeDevice(ctx context.Context, req openapi.RevokeDeviceRequestObject) (openapi.RevokeDeviceResponseObject, error) {
	if err := s.Identity.RevokeDevice(ctx, actorFrom(ctx), identity.DeviceID(req.DeviceID)); err != nil {
		return nil, err
	}
	return openapi.RevokeDevice204Response{}, nil
}

// RecoverDevice implements openapi.StrictServerInterface.
func (s *Server) RecoverDevice(ctx context.Context, req openapi.RecoverDeviceRequestObject) (openapi.RecoverDeviceResponseObject, error) {
	secret, err := s.Identity.Recover(ctx, actorFrom(ctx), identity.DeviceID(req.DeviceID), req.Body.Password,
		identity.PublicKey{X: req.Body.Key.X, Y: req.Body.Key.Y})
	if err != nil {
		return nil, err
	}
	return openapi.RecoverDevice200JSONResponse{Secret: base64.RawURLEncoding.EncodeToString(secret)}, nil
}

// CreateDeviceSession implements openapi.StrictServerInterface: signs in with a device's token.
func (s *Server) CreateDeviceSession(ctx context.Context, _ openapi.CreateDeviceSessionRequestObject) (openapi.CreateDeviceSessionResponseObject, error) {
	by := actorFrom(ctx)
	_, secret, err := s.Identity.OpenDeviceSession(ctx, by, middleware.From(ctx).UserAgent)
	if err != nil {
		return nil, err
	}
	me, err := s.meJSON(ctx, middleware.User(ctx))
	if err != nil {
		return nil, err
	}
	me.Limited = optional(true)
	cookie := middleware.Cookie(s.Secure, secret).String()
	return openapi.CreateDeviceSession201JSONResponse{Body: me, Headers: openapi.CreateDeviceSession201ResponseHeaders{SetCookie: &cookie}}, nil
}
