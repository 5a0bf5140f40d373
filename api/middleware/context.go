// Package middleware is what happens to every request of the API.
package middleware

import (
	"context"

	"github.com/banyan-lms/banyan/internal/identity"
)

type contextKey int

const (
	actorKey contextKey = iota
	userKey
	localeKey
	clientKey
	requestIDKey
)

// Client is where a request comes from.
type Client struct {
	Address   string
	UserAgent string
}

// Actor gives who is asking; the zero Actor is anonymous.
func Actor(ctx context.Context) identity.Actor {
	a, _ := ctx.Value(actorKey).(identity.Actor)
	return a
}

// User gives the account of the actor.
func User(ctx context.Context) identity.User {
	u, _ := ctx.Value(userKey).(identity.User)
	return u
}

// Locale gives the language to answer in.
func Locale(ctx context.Context) string {
	l, _ := ctx.Value(localeKey).(string)
	return l
}

// From gives where the request comes from.
func From(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey).(Client)
	return c
}

// RequestID gives the id under which the request stands in the log.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}
