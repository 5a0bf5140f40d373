package folder

import (
	"regexp"
	"strconv"

	"github.com/banyan-lms/banyan/internal/curriculum/framework"
)

// competenceForm is the pattern of the schemas: what does not fit it, they have told.
var competenceForm = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+){2}$`)

// CheckCompetences wants every id that stands below a pointer to be a competence of a framework that is shipped.
func (d *Document) CheckCompetences(pointer string, ids []string, faults *Faults) {
	known := framework.Shipped()
	for i, id := range ids {
		if _, _, ok := known.Find(id); ok || !competenceForm.MatchString(id) {
			continue
		}
		line := d.Line(pointer + "/competences/" + strconv.Itoa(i))
		faults.Add(d.File, line, "course.unknown_competence", "ID", id, "Near", closest(id, known.IDs()))
	}
}
