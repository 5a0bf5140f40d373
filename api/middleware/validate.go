package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Validate holds every request against the contract before its handler runs.
// What does not fit is one fault request.invalid with a Detail for each place.
// An operation whose body the service checks itself (x-checked-by: service) is checked but for its body.
func Validate(doc *openapi3.T) echo.MiddlewareFunc {
	// For a contract of 3.1 the library compiles the schema of every parameter anew with every request.
	// Ours says nothing that 3.0 does not know, and a test keeps it so.
	plain := *doc
	plain.OpenAPI = "3.0.3"
	// Who may is the services' matter. The library would read the whole body first, for each scheme that it asks.
	plain.Security = nil
	routes := map[string]*operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			routes[method+" "+echoPath(path)] = &operation{
				route: &routers.Route{Spec: &plain, Path: path, PathItem: item, Method: method, Operation: op}, open: open(op),
				options: &openapi3filter.Options{
					MultiError:            true,
					SkipSettingDefaults:   true,
					ExcludeRequestBody:    !checksBody(op),
					AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc, // the services ask
					ExcludeResponseBody:   true,
					IncludeResponseStatus: false,
				},
			}
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			op, ok := routes[r.Method+" "+c.Path()]
			if !ok {
				return next(c) // no operation of the contract: Echo answers 404 or 405
			}
			if !op.open && Actor(r.Context()).Anonymous() {
				return fault.New(fault.Unauthenticated, "session.required") // the services say so too; here before anything else is said
			}
			params := make(map[string]string, len(c.ParamNames()))
			for i, name := range c.ParamNames() {
				params[name] = c.ParamValues()[i]
			}
			if body := op.route.Operation.RequestBody; body != nil {
				if err := checkContentType(r, body.Value); err != nil {
					return err
				}
			}
			err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
				Request: r, PathParams: params, QueryParams: c.QueryParams(), Route: op.route, Options: op.options,
			})
			if err != nil {
				return contractFault(err)
			}
			return next(c)
		}
	}
}

// operation is what Validate knows of one.
type operation struct {
	route   *routers.Route
	open    bool // for people who are not signed in, too
	options *openapi3filter.Options
}

// open tells whether an operation is for people who are not signed in, too.
func open(op *openapi3.Operation) bool {
	who, _ := op.Extensions["x-permission"].([]any)
	return slices.Contains(who, any("anyone"))
}

var pathParam = regexp.MustCompile(`\{([^}]+)\}`)

func echoPath(path string) string { return pathParam.ReplaceAllString(path, ":$1") }

func checksBody(op *openapi3.Operation) bool {
	if op.Extensions["x-checked-by"] == "service" || op.RequestBody == nil {
		return false
	}
	return op.RequestBody.Value.Content.Get("application/json") != nil
}

func checkContentType(r *http.Request, body *openapi3.RequestBody) error {
	media := mediaType(r)
	for want := range body.Content {
		kind, open := strings.CutSuffix(want, "*")
		if media == want || open && strings.HasPrefix(media, kind) {
			return nil
		}
	}
	for want := range body.Content {
		return fault.New(fault.Invalid, "request.bad_content_type").With("Want", want)
	}
	return nil
}

// contractFault turns the validator's errors into our own words. Its sentences never leave: they
// quote schemas and are in one language.
func contractFault(err error) error {
	f := fault.Wrap(fault.Invalid, "request.invalid", errors.New(firstLine(err)))
	collect(f, "", err)
	if len(f.Details) == 0 {
		f.At(fault.Detail{Key: "request.bad_value"})
	}
	return f
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// collect walks the validator's tree of errors. It returns its types bare, and
// errors.As would look through the outer ones that name the parameter.
//
//nolint:errorlint // see above
func collect(f *fault.Error, prefix string, err error) {
	switch e := err.(type) {
	case openapi3.MultiError:
		for _, inner := range e {
			collect(f, prefix, inner)
		}
	case *openapi3filter.RequestError:
		if e.Parameter != nil {
			prefix = "#" + e.Parameter.In + "/" + e.Parameter.Name // not in the body: said by a fragment
		}
		switch inner := e.Err.(type) {
		case openapi3.MultiError, *openapi3.SchemaError:
			collect(f, prefix, inner)
		default:
			key := "request.bad_value"
			if inner == openapi3filter.ErrInvalidRequired {
				key = "request.required"
			}
			f.At(fault.Detail{Pointer: prefix, Key: key})
		}
	case *openapi3.SchemaError:
		f.At(schemaDetail(prefix, e))
	default:
		f.At(fault.Detail{Pointer: prefix, Key: "request.bad_value"})
	}
}

func schemaDetail(prefix string, e *openapi3.SchemaError) fault.Detail {
	d := fault.Detail{Pointer: prefix, Key: "request.bad_value", Args: map[string]any{}}
	for _, part := range e.JSONPointer() {
		d.Pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	}
	switch e.SchemaField {
	case "required":
		d.Key = "request.required"
	case "type":
		d.Key = "request.wrong_type"
		if e.Schema != nil && e.Schema.Type != nil {
			d.Args["Want"] = strings.Join(e.Schema.Type.Slice(), ", ")
		}
	case "minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum":
		d.Key = "request.too_small"
		d.Args["Min"] = bound(e.Schema, e.SchemaField)
	case "maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum":
		d.Key = "request.too_big"
		d.Args["Max"] = bound(e.Schema, e.SchemaField)
	case "enum":
		d.Key = "request.not_listed"
		if e.Schema != nil {
			d.Args["Allowed"] = strings.Trim(fmt.Sprint(e.Schema.Enum), "[]")
		}
	case "pattern", "format":
		d.Key = "request.bad_form"
	case "properties", "additionalProperties":
		d.Key = "request.unknown_field"
	case "uniqueItems":
		d.Key = "request.repeated"
	}
	return d
}

func bound(s *openapi3.Schema, field string) any {
	if s == nil {
		return ""
	}
	deref := func(p *uint64) any {
		if p == nil {
			return ""
		}
		return *p
	}
	num := func(p *float64) any {
		if p == nil {
			return ""
		}
		return *p
	}
	switch field {
	case "minLength":
		return s.MinLength
	case "minItems":
		return s.MinItems
	case "minProperties":
		return s.MinProps
	case "maxLength":
		return deref(s.MaxLength)
	case "maxItems":
		return deref(s.MaxItems)
	case "maxProperties":
		return deref(s.MaxProps)
	case "minimum", "exclusiveMinimum":
		return num(s.Min)
	case "maximum", "exclusiveMaximum":
		return num(s.Max)
	}
	return ""
}
