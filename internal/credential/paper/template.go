package paper

import (
	"regexp"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Template is how an institution's certificates look: all of them, or those of
// one course. It says nothing about anybody; what a certificate says stands in the signed document.
type Template struct {
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID // "": of every course that has none of its own
	Orientation   Orientation
	Accent        sheet.Colour // #rrggbb
	Border        Border
	Logo          Place
	// Signatories are the ids of those of the institution's signatories who sign, in their order; nil means all of them.
	Signatories []string
	Line        map[string]string // a line of the institution's own, by BCP 47 tag
	UpdatedAt   time.Time         // zero: nobody has saved one
}

// Orientation is how the paper lies.
type Orientation string

// The orientations.
const (
	Landscape Orientation = "landscape"
	Portrait  Orientation = "portrait"
)

// Border is what runs around the page.
type Border string

// The borders.
const (
	NoBorder Border = "none"
	Single   Border = "single"
	Double   Border = "double"
	Corners  Border = "corners"
)

// Place is where the logo stands: where a line of text begins, in the middle, or where it ends.
type Place string

// The places.
const (
	Start  Place = "start"
	Center Place = "center"
	End    Place = "end"
)

// Plain is the template of who has saved none. Landscape: names are long and
// lines are few, and it hangs on a wall as certificates do.
func Plain(in identity.InstitutionID, course curriculum.CourseID) Template {
	return Template{InstitutionID: in, CourseID: course, Orientation: Landscape, Accent: "#14505c", Border: Double, Logo: Center}
}

var colourForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// leastContrast is WCAG's for text: the accent colour is that of words, too.
const leastContrast = 4.5
