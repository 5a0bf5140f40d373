package curriculum

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
)

// format is the number of the manifest's form. It counts up when readers must change.
const format = 1

// courseSource is course.yaml as its author wrote it.
type courseSource struct {
	ID           string         `json:"id"`
	Title        string         `json:"title"`
	Summary      string         `json:"summary"`
	SourceLocale Locale         `json:"source_locale"`
	Locales      []Locale       `json:"locales"`
	Licence      string         `json:"licence"`
	Authors      []string       `json:"authors"`
	Minutes      int            `json:"minutes"`
	Modules      []moduleSource `json:"modules"`
	Criteria     struct {
		Lessons string  `json:"lessons"`
		Quizzes float64 `json:"quizzes"`
		Labs    string  `json:"labs"`
	} `json:"criteria"`
	Achievement struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Narrative   string `json:"narrative"`
	} `json:"achievement"`
}

type moduleSource struct {
	ID    string       `json:"id"`
	Title string       `json:"title"`
	Items []itemSource `json:"items"`
}

type itemSource struct {
	Lesson string `json:"lesson"`
	Quiz   string `json:"quiz"`
	Lab    string `json:"lab"`
}

func (i itemSource) named() (Kind, string) {
	switch {
	case i.Lesson != "":
		return Lesson, i.Lesson
	case i.Quiz != "":
		return Quiz, i.Quiz
	}
	return Lab, i.Lab
}

// Compile reads one course folder and gives the course version that it stands for: the same
// bytes always give the same version. The folder may come from a stranger.
// When anything is wrong the error is one fault Invalid course.invalid, whose
// details name every fault with its file and line.
func Compile(fsys fs.FS) (Compiled, error) {
	c := compiler{
		src:     load(fsys),
		lessons: map[string]map[Locale]page{}, statements: map[string]map[Locale]page{},
		quizzes: map[string]quizItem{}, banks: map[string]bankItem{}, labs: map[string]labItem{},
	}
	c.faults = c.src.faults
	c.readCourse()
	c.readTexts()
	c.readItems()
	c.linkBanks()
	c.checkItems()
	c.texts.checkAsked(c.faults)
	if err := c.faults.err(); err != nil {
		return Compiled{}, err
	}
	return c.build()
}

type compiler struct {
	src        *source
	faults     *faultList
	doc        *document
	course     courseSource
	texts      texts
	lessons    map[string]map[Locale]page
	statements map[string]map[Locale]page
	quizzes    map[string]quizItem
	banks      map[string]bankItem
	labs       map[string]labItem
}

func (c *compiler) fault(pointer, key string, args ...string) {
	c.faults.add(c.doc.file, c.doc.line(pointer), key, args...)
}

// readCourse reads course.yaml and the rules that its schema cannot say.
func (c *compiler) readCourse() {
	c.doc = &document{file: "course.yaml", lines: map[string]int{}}
	data, ok := c.src.files["course.yaml"]
	if !ok {
		if !c.src.broken["course.yaml"] {
			c.faults.add("course.yaml", 1, "course.no_course_file")
		}
		return
	}
	c.doc = parseYAML("course.yaml", data, c.faults)
	checkSchema("course", c.doc, c.faults)
	if !c.doc.fit {
		return
	}
	c.doc.into(&c.course)
	for i, l := range c.course.Locales {
		c.checkLocale(l, "/locales/"+strconv.Itoa(i))
	}
	if s := c.course.SourceLocale; s != "" && len(c.course.Locales) > 0 && !slices.Contains(c.course.Locales, s) {
		c.fault("/source_locale", "course.source_not_listed", "Locale", s)
	}
	modules := map[string]bool{}
	ids := map[string]bool{}
	raws, _ := field(c.doc.value, "modules").([]any)
	for i, m := range c.course.Modules {
		at := "/modules/" + strconv.Itoa(i)
		if m.ID != "" && modules[m.ID] {
			c.fault(at+"/id", "course.duplicate_id", "ID", m.ID)
		}
		modules[m.ID] = true
		var rawItems []any
		if i < len(raws) {
			rawItems, _ = field(raws[i], "items").([]any)
		}
		for j, it := range m.Items {
			at := at + "/items/" + strconv.Itoa(j)
			if j < len(rawItems) {
				if raw, ok := rawItems[j].(map[string]any); ok && len(raw) != 1 {
					c.fault(at, "course.item_kinds")
					continue
				}
			}
			_, id := it.named()
			switch {
			case id == "":
			case ids[id]:
				c.fault(at, "course.duplicate_id", "ID", id)
			case id == c.course.ID:
				// Statements name the course and its items by id alone.
				c.fault(at, "course.item_named_as_course", "ID", id)
			}
			ids[id] = true
		}
	}
}

// checkLocale wants tags in their one right spelling, because file names and addresses carry them.
func (c *compiler) checkLocale(l Locale, pointer string) {
	if right := canonicalLocale(l); l != "" && right != l {
		if right == "" {
			c.fault(pointer, "course.bad_locale", "Value", l)
			return
		}
		c.fault(pointer, "course.locale_spelling", "Value", l, "Wanted", right)
	}
}

// readTexts reads the translations.
func (c *compiler) readTexts() {
	c.texts = texts{source: c.course.SourceLocale, locales: slices.Sorted(slices.Values(c.course.Locales)), docs: map[Locale]*document{}, asked: map[string]bool{}}
	c.texts.locales = slices.Compact(c.texts.locales)
	for _, name := range c.names("locales/", ".yaml") {
		l := strings.TrimSuffix(strings.TrimPrefix(name, "locales/"), ".yaml")
		doc := parseYAML(name, c.src.files[name], c.faults)
		checkSchema("locale", doc, c.faults)
		switch {
		case len(c.course.Locales) == 0:
		case l == c.course.SourceLocale:
			c.faults.add(name, 1, "locale.source", "Locale", l)
		case !slices.Contains(c.course.Locales, l):
			c.faults.add(name, 1, "locale.not_listed", "Locale", l)
		}
		if doc.fit {
			c.texts.docs[l] = doc
		}
	}
	c.texts.text("course.title", "")
	for _, k := range []string{"course.summary", "achievement.name", "achievement.description", "achievement.narrative"} {
		c.texts.text(k, "")
	}
	for _, m := range c.course.Modules {
		c.texts.text("module."+m.ID+".title", "")
	}
}

// names lists the files of a folder in order.
func (c *compiler) names(prefix, suffix string) []string {
	var out []string
	for name := range c.src.files {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

var (
	lessonName        = regexp.MustCompile(`^lessons/(` + idForm + `)\.(` + localeForm + `)\.md$`)
	labStatementName  = regexp.MustCompile(`^labs/(` + idForm + `)/statement\.(` + localeForm + `)\.md$`)
	labDefinitionName = regexp.MustCompile(`^labs/(` + idForm + `)/lab\.yaml$`)
)

// readItems reads every lesson, quiz and lab that lies in the folder, listed or not.
func (c *compiler) readItems() {
	var known map[string]bool
	if c.doc.fit {
		known = map[string]bool{}
		for _, m := range c.course.Modules {
			for _, it := range m.Items {
				known[it.Lesson] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.src.files)) {
		data := c.src.files[name]
		if m := lessonName.FindStringSubmatch(name); m != nil {
			put(c.lessons, m[1], m[2], renderMarkdown(name, data, true, known, c.faults))
			c.listedLocale(name, m[2])
		} else if m := labStatementName.FindStringSubmatch(name); m != nil {
			put(c.statements, m[1], m[2], renderMarkdown(name, data, false, known, c.faults))
			c.listedLocale(name, m[2])
		} else if id, ok := strings.CutPrefix(name, "quizzes/"); ok {
			id = strings.TrimSuffix(id, ".yaml")
			c.quizzes[id] = readQuiz(id, parseYAML(name, data, c.faults), &c.texts, c.faults)
		} else if id, ok := strings.CutPrefix(name, "banks/"); ok {
			id = strings.TrimSuffix(id, ".yaml")
			c.banks[id] = readBank(id, parseYAML(name, data, c.faults), &c.texts, c.faults)
		} else if m := labDefinitionName.FindStringSubmatch(name); m != nil {
			c.labs[m[1]] = readLab(m[1], parseYAML(name, data, c.faults), c.src, &c.texts, c.faults)
		}
	}
}

// linkBanks joins quizzes with the banks that they draw from. A bank that nothing draws from is a fault.
func (c *compiler) linkBanks() {
	used := map[string]bool{}
	unread := false // a quiz that cannot be read may draw from any
	for name := range c.src.broken {
		unread = unread || strings.HasPrefix(name, "quizzes/")
	}
	for _, id := range slices.Sorted(maps.Keys(c.quizzes)) {
		q := c.quizzes[id]
		unread = unread || q.doc == nil
		q.link(c.banks, used, c.src.has, c.faults)
		c.quizzes[id] = q
	}
	for _, id := range slices.Sorted(maps.Keys(c.banks)) {
		if !used[id] && !unread {
			c.faults.add("banks/"+id+".yaml", 1, "quiz.unused_bank", "Bank", id)
		}
	}
}

func put(all map[string]map[Locale]page, id string, l Locale, p page) {
	if all[id] == nil {
		all[id] = map[Locale]page{}
	}
	all[id][l] = p
}

func (c *compiler) listedLocale(name string, l Locale) {
	if len(c.course.Locales) > 0 && !slices.Contains(c.course.Locales, l) {
		c.faults.add(name, 1, "locale.not_listed", "Locale", l)
	}
}

// checkItems holds what course.yaml lists against what is there.
func (c *compiler) checkItems() {
	if !c.doc.fit {
		return
	}
	listed := map[string]bool{}
	graded, lessons, labs := 0, 0, 0
	for i, m := range c.course.Modules {
		for j, it := range m.Items {
			at := fmt.Sprintf("/modules/%d/items/%d", i, j)
			kind, id := it.named()
			if id == "" {
				continue
			}
			switch kind {
			case Lesson:
				lessons++
				listed["lessons/"+id] = true
				c.mustHave(at, "lessons/"+id+"."+c.course.SourceLocale+".md")
			case Quiz:
				listed["quizzes/"+id+".yaml"] = true
				c.mustHave(at, "quizzes/"+id+".yaml")
				if c.quizzes[id].graded {
					graded++
				}
			case Lab:
				labs++
				listed["labs/"+id] = true
				c.mustHave(at, "labs/"+id+"/lab.yaml")
				c.mustHave(at, "labs/"+id+"/statement."+c.course.SourceLocale+".md")
			}
		}
	}
	cr := c.course.Criteria
	if cr.Lessons != "" && cr.Labs != "" && (cr.Lessons != "all" || lessons == 0) && (cr.Quizzes == 0 || graded == 0) && (cr.Labs != "all" || labs == 0) {
		c.fault("/criteria", "course.criteria_empty")
	}
	unlisted := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.src.files)) {
		owner := name
		if m := lessonName.FindStringSubmatch(name); m != nil {
			owner = "lessons/" + m[1]
		} else if part := strings.SplitN(name, "/", 3); part[0] == "labs" {
			owner = "labs/" + part[1]
		} else if part[0] != "quizzes" {
			continue
		}
		// One word for a whole lab, and for a lesson in all its languages.
		if !listed[owner] && !unlisted[owner] {
			unlisted[owner] = true
			c.faults.add(name, 1, "course.not_in_course")
		}
	}
}

func (c *compiler) mustHave(at, file string) {
	if c.course.SourceLocale != "" && !c.src.has(file) {
		c.fault(at, "course.missing_file", "File", file)
	}
}

// build makes the version of a course without faults.
func (c *compiler) build() (Compiled, error) {
	out := Compiled{Blobs: map[blob.Digest][]byte{}}
	vault, err := c.vault()
	if err != nil {
		return Compiled{}, err
	}
	if out.Vault, err = canonical(vault); err != nil {
		return Compiled{}, err
	}
	m := Manifest{
		Format: format, CourseID: CourseID(c.course.ID),
		Title: c.texts.text("course.title", c.course.Title), Summary: c.texts.text("course.summary", c.course.Summary),
		SourceLocale: c.course.SourceLocale, Locales: c.course.Locales,
		Licence: c.course.Licence, Authors: c.course.Authors, Minutes: c.course.Minutes,
		Criteria: Criteria{Lessons: c.course.Criteria.Lessons == "all", Quizzes: c.course.Criteria.Quizzes, Labs: c.course.Criteria.Labs == "all"},
		Achievement: Achievement{
			Name:        c.texts.text("achievement.name", c.course.Achievement.Name),
			Description: c.texts.text("achievement.description", c.course.Achievement.Description),
			Narrative:   c.texts.text("achievement.narrative", c.course.Achievement.Narrative),
		},
		Vault: blob.Of(out.Vault),
	}
	for _, ms := range c.course.Modules {
		mod := Module{ID: ms.ID, Title: c.texts.text("module."+ms.ID+".title", ms.Title)}
		for _, is := range ms.Items {
			it, err := c.item(is, vault, &out)
			if err != nil {
				return Compiled{}, err
			}
			mod.Items = append(mod.Items, it)
		}
		m.Modules = append(m.Modules, mod)
	}
	if out.ManifestJSON, err = canonical(m); err != nil {
		return Compiled{}, err
	}
	out.Manifest = m
	out.Digest = blob.Of(out.ManifestJSON)
	return out, nil
}

// vault gathers the secrets of the course.
func (c *compiler) vault() (VaultFile, error) {
	v := VaultFile{Quizzes: map[ContentID]quiz.Vault{}, Labs: map[ContentID]VaultLab{}}
	for id, q := range c.quizzes {
		v.Quizzes[ContentID(id)] = q.vault()
	}
	for id, l := range c.labs {
		v.Labs[ContentID(id)] = l.vault
	}
	data, err := canonical(v)
	if err != nil {
		return VaultFile{}, err
	}
	secret := sha256.Sum256(data)
	for id, q := range v.Quizzes {
		hideRights(id, q, secret[:])
	}
	return v, nil
}

// item makes the blobs of one item in every language.
func (c *compiler) item(is itemSource, vault VaultFile, out *Compiled) (Item, error) {
	kind, id := is.named()
	it := Item{ID: ContentID(id), Kind: kind}
	keep := func(data []byte) blob.Digest {
		d := blob.Of(data)
		out.Blobs[d] = data
		return d
	}
	fragments := func(pages map[Locale]page) map[Locale]blob.Digest {
		m := map[Locale]blob.Digest{}
		for _, l := range c.course.Locales {
			p, ok := pages[l]
			if !ok {
				p.html = inSource(pages[c.course.SourceLocale].html, c.course.SourceLocale)
			}
			m[l] = keep(p.html)
		}
		return m
	}
	data := func(of func(l Locale) any) (map[Locale]blob.Digest, error) {
		m := map[Locale]blob.Digest{}
		for _, l := range c.course.Locales {
			b, err := canonical(of(l))
			if err != nil {
				return nil, err
			}
			m[l] = keep(b)
		}
		return m, nil
	}
	var err error
	switch kind {
	case Lesson:
		it.Title, it.Words = Text{}, map[Locale]int{}
		for _, l := range c.course.Locales {
			p, ok := c.lessons[id][l]
			if !ok {
				p = c.lessons[id][c.course.SourceLocale]
			}
			it.Title[l], it.Words[l] = p.title, p.words
		}
		it.Fragment = fragments(c.lessons[id])
	case Quiz:
		q := c.quizzes[id]
		it.Title, it.Graded = q.title, q.graded
		it.Data, err = data(func(l Locale) any { return q.public(l, vault.Quizzes[q.id]) })
	case Lab:
		lab := c.labs[id]
		it.Title = lab.title
		it.Fragment = fragments(c.statements[id])
		it.Data, err = data(func(l Locale) any { return lab.public(l) })
	}
	return it, err
}

// canonical writes JSON with sorted keys, no spaces and no HTML escapes, so that equal values are equal bytes.
func canonical(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "server.internal", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fault.Wrap(fault.Internal, "server.internal", err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return nil, fault.Wrap(fault.Internal, "server.internal", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
