package curriculum

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/banyan-lms/banyan/internal/curriculum/framework"
)

// competenceForm is the pattern of the schemas: what does not fit it, they have told.
var competenceForm = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+){2}$`)

// checkCompetences wants every id that stands below a pointer to be a competence of a framework that is shipped.
func checkCompetences(doc *document, pointer string, ids []string, faults *faultList) {
	known := framework.Shipped()
	for i, id := range ids {
		if _, _, ok := known.Find(id); ok || !competenceForm.MatchString(id) {
			continue
		}
		line := doc.line(pointer + "/competences/" + strconv.Itoa(i))
		faults.add(doc.file, line, "course.unknown_competence", "ID", id, "Near", closest(id, known.IDs()))
	}
}

// competences gathers what an item serves: what course.yaml says of it, and what its questions or its lab say.
func (c *compiler) competences(is itemSource) []string {
	all := map[string]bool{}
	add := func(ids []string) {
		for _, id := range ids {
			all[id] = true
		}
	}
	add(is.Competences)
	switch kind, id := is.named(); kind {
	case Quiz:
		for _, q := range c.quizzes[id].questions {
			add(q.source.Competences)
		}
	case Lab:
		add(c.labs[id].vault.Competences)
	}
	return slices.Sorted(maps.Keys(all))
}
