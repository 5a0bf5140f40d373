// Package compile turns the folder of a course into a course version.
package compile

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/curriculum/labfile"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/curriculum/quizfile"
	"github.com/banyan-lms/banyan/internal/curriculum/reading"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
	"github.com/banyan-lms/banyan/internal/fault"
)

// format is the number of the manifest's form. It counts up when readers must change.
const format = 1

// courseSource is course.yaml as its author wrote it.
type courseSource struct {
	ID           string              `json:"id"`
	Title        string              `json:"title"`
	Summary      string              `json:"summary"`
	SourceLocale curriculum.Locale   `json:"source_locale"`
	Locales      []curriculum.Locale `json:"locales"`
	Licence      string              `json:"licence"`
	Authors      []string            `json:"authors"`
	Minutes      int                 `json:"minutes"`
	Modules      []moduleSource      `json:"modules"`
	Criteria     struct {
		Lessons string  `json:"lessons"`
		Quizzes float64 `json:"quizzes"`
		Labs    string  `json:"labs"`
	} `json:"criteria"`
	Achievement struct {
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Narrative   string   `json:"narrative"`
		Competences []string `json:"competences"`
	} `json:"achievement"`
	Fallbacks map[curriculum.Locale][]curriculum.Locale `json:"fallbacks"`
	Budget    gate.Budget                               `json:"budget"`
	Reading   gate.Level                                `json:"reading"`
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

	Competences []string `json:"competences"`
}

func (i itemSource) named() (curriculum.Kind, string) {
	switch {
	case i.Lesson != "":
		return curriculum.Lesson, i.Lesson
	case i.Quiz != "":
		return curriculum.Quiz, i.Quiz
	}
	return curriculum.Lab, i.Lab
}

// Options are what the compiler does not find in the folder.
type Options struct {
	// Fallbacks are the institution's wish: languages that stand in for another, in order. They go before the course's own.
	Fallbacks map[curriculum.Locale][]curriculum.Locale
	// Cache makes it quick to compile a course again; nil: it is compiled from the ground. What comes out is the same.
	Cache *memo.Cache
}

// Course reads one course folder and gives the course version that it stands for: the same
// bytes and options always give the same version. The folder may come from a stranger.
// When anything is wrong the error is one fault Invalid course.invalid, whose
// details name every fault with its file and line.
func Course(fsys fs.FS, o Options) (Result, error) {
	o.Cache.Begin()
	c := compiler{
		cache: o.Cache, src: folder.Load(fsys), quizzes: map[string]quizfile.Quiz{}, banks: map[string]quizfile.Bank{}, labs: map[string]labfile.Lab{},
	}
	c.faults = c.src.Faults
	c.list = wording.Gather(c.src, c.cache)
	c.readCourse()
	c.texts = wording.Read(c.list, c.languages(o.Fallbacks), c.cache)
	c.readGlossary()
	c.readMedia()
	c.readItems()
	c.linkBanks()
	c.checkItems()
	c.checkPages()
	c.checkMedia()
	c.checkLabels()
	if err := c.faults.Err(); err != nil {
		return Result{}, err
	}
	return c.build()
}

type compiler struct {
	cache   *memo.Cache
	src     *folder.Folder
	faults  *folder.Faults
	doc     *folder.Document
	course  courseSource
	list    *wording.Texts
	texts   *wording.Translations
	terms   map[string]termSource
	media   map[string]mediumItem
	quizzes map[string]quizfile.Quiz
	banks   map[string]quizfile.Bank
	labs    map[string]labfile.Lab
	byFile  map[string][]wording.Unit
	advice  []fault.Detail
	figures map[curriculum.ContentID]map[curriculum.Locale]gate.Figures
	levels  map[string]map[curriculum.Locale]reading.Level // by file
	around  map[curriculum.Locale]string                   // digest of what pages take from the course, see surroundings
}

func (c *compiler) fault(pointer, key string, args ...string) {
	c.faults.Add(c.doc.File, c.doc.Line(pointer), key, args...)
}

// readCourse reads course.yaml and the rules that its schema cannot say.
func (c *compiler) readCourse() {
	c.doc = &folder.Document{File: "course.yaml"}
	doc := c.list.Docs["course.yaml"]
	if doc == nil {
		if !c.src.Broken["course.yaml"] {
			c.faults.Add("course.yaml", 1, "course.no_course_file")
		}
		return
	}
	c.doc = doc
	c.doc.Check("course", c.faults)
	if !c.doc.Fit {
		return
	}
	c.doc.Into(&c.course)
	for i, l := range c.course.Locales {
		c.checkLocale(l, "/locales/"+strconv.Itoa(i))
	}
	if s := c.course.SourceLocale; s != "" && len(c.course.Locales) > 0 && !slices.Contains(c.course.Locales, s) {
		c.fault("/source_locale", "course.source_not_listed", "Locale", s)
	}
	for l, chain := range c.course.Fallbacks {
		for i, f := range append([]curriculum.Locale{l}, chain...) {
			at := c.doc.Root().Key("fallbacks").Key(l).Pointer
			if i > 0 {
				at += "/" + strconv.Itoa(i-1)
			}
			if !slices.Contains(c.course.Locales, f) {
				c.fault(at, "course.fallback_not_listed", "Locale", f)
			}
		}
	}
	c.doc.CheckCompetences("/achievement", c.course.Achievement.Competences, c.faults)
	modules := map[string]bool{}
	ids := map[string]bool{}
	raws := c.doc.Root().Key("modules").Each()
	for i, m := range c.course.Modules {
		at := "/modules/" + strconv.Itoa(i)
		if m.ID != "" && modules[m.ID] {
			c.fault(at+"/id", "course.duplicate_id", "ID", m.ID)
		}
		if m.ID == wording.CoursePO {
			c.fault(at+"/id", "course.module_named_course")
		}
		modules[m.ID] = true
		var rawItems []folder.Node
		if i < len(raws) {
			rawItems = raws[i].Key("items").Each()
		}
		for j, it := range m.Items {
			at := at + "/items/" + strconv.Itoa(j)
			if j < len(rawItems) && rawItems[j].IsMap() && len(rawItems[j].Present("lesson", "quiz", "lab")) != 1 {
				c.fault(at, "course.item_kinds")
				continue
			}
			c.doc.CheckCompetences(at, it.Competences, c.faults)
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

// languages tells what the texts need to know. wanted is the institution's wish.
func (c *compiler) languages(wanted map[curriculum.Locale][]curriculum.Locale) wording.Languages {
	out := wording.Languages{Source: c.course.SourceLocale, Locales: c.course.Locales, Wanted: wanted, Fallbacks: c.course.Fallbacks}
	if c.doc.Fit {
		out.Modules = []string{}
	}
	for _, m := range c.course.Modules {
		out.Modules = append(out.Modules, m.ID)
	}
	return out
}

// checkLocale wants tags in their one right spelling, because file names and addresses carry them.
func (c *compiler) checkLocale(l curriculum.Locale, pointer string) {
	if right := wording.CanonicalLocale(l); l != "" && right != l {
		if right == "" {
			c.fault(pointer, "course.bad_locale", "Value", l)
			return
		}
		c.fault(pointer, "course.locale_spelling", "Value", l, "Wanted", right)
	}
}

// readItems reads every quiz, item bank and lab that lies in the folder, listed or not.
func (c *compiler) readItems() {
	for _, name := range slices.Sorted(maps.Keys(c.list.Docs)) {
		doc := c.list.Docs[name]
		dir, file := path.Split(name)
		id := strings.TrimSuffix(file, ".yaml")
		switch {
		case dir == "quizzes/":
			c.quizzes[id] = quizfile.Read(id, doc, c.texts, c.faults)
		case dir == "banks/":
			c.banks[id] = quizfile.ReadBank(id, doc, c.texts, c.faults)
		case strings.HasPrefix(dir, "labs/"):
			id = path.Base(dir)
			c.labs[id] = labfile.Read(id, doc, c.src, c.texts, c.faults)
		}
	}
}

// linkBanks joins quizzes with the banks that they draw from. A bank that nothing draws from is a fault.
func (c *compiler) linkBanks() {
	used := map[string]bool{}
	unread := false // a quiz that cannot be read may draw from any
	for name := range c.src.Broken {
		unread = unread || strings.HasPrefix(name, "quizzes/")
	}
	for _, id := range slices.Sorted(maps.Keys(c.quizzes)) {
		q := c.quizzes[id]
		unread = unread || q.Unfit()
		q.Link(c.banks, used, c.src.Has, c.faults)
		c.quizzes[id] = q
	}
	for _, id := range slices.Sorted(maps.Keys(c.banks)) {
		if !used[id] && !unread {
			c.faults.Add("banks/"+id+".yaml", 1, "quiz.unused_bank", "Bank", id)
		}
	}
}

// checkItems holds what course.yaml lists against what is there.
func (c *compiler) checkItems() {
	if !c.doc.Fit {
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
			case curriculum.Lesson:
				lessons++
				listed["lessons/"+id+".md"] = true
				c.mustHave(at, "lessons/"+id+".md")
			case curriculum.Quiz:
				listed["quizzes/"+id+".yaml"] = true
				c.mustHave(at, "quizzes/"+id+".yaml")
				if c.quizzes[id].Graded {
					graded++
				}
			case curriculum.Lab:
				labs++
				listed["labs/"+id] = true
				c.mustHave(at, "labs/"+id+"/lab.yaml")
				c.mustHave(at, "labs/"+id+"/statement.md")
			}
		}
	}
	cr := c.course.Criteria
	if cr.Lessons != "" && cr.Labs != "" && (cr.Lessons != "all" || lessons == 0) && (cr.Quizzes == 0 || graded == 0) && (cr.Labs != "all" || labs == 0) {
		c.fault("/criteria", "course.criteria_empty")
	}
	unlisted := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.src.Files)) {
		owner := name
		if part := strings.SplitN(name, "/", 3); part[0] == "labs" {
			owner = "labs/" + part[1]
		} else if part[0] != "quizzes" && part[0] != "lessons" {
			continue
		}
		// One word for a whole lab.
		if !listed[owner] && !unlisted[owner] {
			unlisted[owner] = true
			c.faults.Add(name, 1, "course.not_in_course")
		}
	}
}

func (c *compiler) mustHave(at, file string) {
	if !c.src.Has(file) {
		c.fault(at, "course.missing_file", "File", file)
	}
}

// build makes the version of a course without faults.
func (c *compiler) build() (Result, error) {
	out := Result{Blobs: map[blob.Digest][]byte{}}
	vault, err := c.vault()
	if err != nil {
		return Result{}, err
	}
	if out.Vault, err = blob.JSON(vault); err != nil {
		return Result{}, err
	}
	m := curriculum.Manifest{
		Format: format, CourseID: curriculum.CourseID(c.course.ID),
		Title: c.texts.Text("course.title", c.course.Title), TitleLang: c.texts.Langs("course.title"), Summary: c.texts.Text("course.summary", c.course.Summary),
		SummaryLang:  c.texts.Langs("course.summary"),
		SourceLocale: c.course.SourceLocale, Locales: c.course.Locales,
		Licence: c.course.Licence, Authors: c.course.Authors, Minutes: c.course.Minutes,
		Criteria: curriculum.Criteria{Lessons: c.course.Criteria.Lessons == "all", Quizzes: c.course.Criteria.Quizzes, Labs: c.course.Criteria.Labs == "all"},
		Achievement: curriculum.Achievement{
			Name:        c.texts.Text("achievement.name", c.course.Achievement.Name),
			NameLang:    c.texts.Langs("achievement.name"),
			Description: c.texts.Text("achievement.description", c.course.Achievement.Description),
			Narrative:   c.texts.Text("achievement.narrative", c.course.Achievement.Narrative),
			Competences: c.course.Achievement.Competences,
		},
		Vault: blob.Of(out.Vault),
	}
	for _, ms := range c.course.Modules {
		mod := curriculum.Module{ID: ms.ID, Title: c.texts.Text("module."+ms.ID+".title", ms.Title), TitleLang: c.texts.Langs("module." + ms.ID + ".title")}
		for _, is := range ms.Items {
			it, err := c.item(is, ms.ID, vault, &out)
			if err != nil {
				return Result{}, err
			}
			mod.Items = append(mod.Items, it)
		}
		m.Modules = append(m.Modules, mod)
	}
	c.checkLessons(m)
	if err := c.faults.Err(); err != nil {
		return Result{}, err
	}
	out.Advice, out.Figures = c.advice, c.figures
	if out.ManifestJSON, err = blob.JSON(m); err != nil {
		return Result{}, err
	}
	out.Manifest = m
	out.Digest = blob.Of(out.ManifestJSON)
	return out, nil
}

// vault gathers the secrets of the course.
func (c *compiler) vault() (curriculum.VaultFile, error) {
	v := curriculum.VaultFile{Quizzes: map[curriculum.ContentID]quiz.Vault{}, Labs: map[curriculum.ContentID]labdef.Lab{}}
	for id, q := range c.quizzes {
		v.Quizzes[curriculum.ContentID(id)] = q.Vault()
	}
	for id, l := range c.labs {
		v.Labs[curriculum.ContentID(id)] = l.Vault
	}
	data, err := blob.JSON(v)
	if err != nil {
		return curriculum.VaultFile{}, err
	}
	secret := sha256.Sum256(data)
	for id, q := range v.Quizzes {
		quizfile.HideRights(id, q, secret[:])
	}
	return v, nil
}

// item makes the blobs of one item in every language.
func (c *compiler) item(is itemSource, module string, vault curriculum.VaultFile, out *Result) (curriculum.Item, error) {
	kind, id := is.named()
	it := curriculum.Item{ID: curriculum.ContentID(id), Kind: kind, Competences: c.competences(is)}
	keep := func(data []byte) blob.Digest {
		d := blob.Of(data)
		out.Blobs[d] = data
		return d
	}
	fragments := func(file string) {
		pages, media, weights := c.render(file, module, keep)
		it.Weight = weights
		it.Fragment, it.Title = map[curriculum.Locale]blob.Digest{}, curriculum.Text{}
		for l, f := range pages {
			it.Fragment[l], it.Title[l] = keep(f.HTML), f.Title.Text
			if kind == curriculum.Lesson && f.Title.Locale != "" {
				if it.TitleLang == nil {
					it.TitleLang = curriculum.Langs{}
				}
				it.TitleLang[l] = f.Title.Locale
			}
			if kind == curriculum.Lesson {
				if it.Words == nil {
					it.Words = map[curriculum.Locale]int{}
				}
				it.Words[l] = f.Words
			}
		}
		if len(media) > 0 {
			it.Media = media
		}
	}
	data := func(of func(l curriculum.Locale) any) error {
		it.Data = map[curriculum.Locale]blob.Digest{}
		for _, l := range c.course.Locales {
			b, err := blob.JSON(of(l))
			if err != nil {
				return err
			}
			it.Data[l] = keep(b)
			if it.Weight == nil {
				it.Weight = map[curriculum.Locale]gate.Weight{}
			}
			it.Weight[l] = it.Weight[l].Add(gate.Same(gate.Sent(b)))
		}
		return nil
	}
	var err error
	switch kind {
	case curriculum.Lesson:
		fragments("lessons/" + id + ".md")
	case curriculum.Quiz:
		q := c.quizzes[id]
		it.Title, it.TitleLang, it.Graded = q.Title, c.texts.Langs("quiz."+id+".title"), q.Graded
		err = data(func(l curriculum.Locale) any { return q.Public(l, vault.Quizzes[it.ID]) })
	case curriculum.Lab:
		lab := c.labs[id]
		fragments("labs/" + id + "/statement.md")
		it.Title, it.TitleLang = lab.Title, c.texts.Langs("lab."+id+".title")
		err = data(func(l curriculum.Locale) any { return lab.Public(l) })
	}
	if counts := c.texts.Counts(c.unitsOf(kind, id), module); len(counts) > 0 {
		it.Translations = counts
	}
	return it, err
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
	case curriculum.Quiz:
		add(c.quizzes[id].Competences())
	case curriculum.Lab:
		add(c.labs[id].Vault.Competences)
	}
	return slices.Sorted(maps.Keys(all))
}

// unitsOf lists the texts of an item, those of a quiz with the banks that it draws from.
func (c *compiler) unitsOf(kind curriculum.Kind, id string) []wording.Unit {
	if c.byFile == nil {
		c.byFile = map[string][]wording.Unit{}
		for _, u := range c.list.Units {
			c.byFile[u.File] = append(c.byFile[u.File], u)
		}
	}
	switch kind {
	case curriculum.Lesson:
		return c.byFile["lessons/"+id+".md"]
	case curriculum.Lab:
		return slices.Concat(c.byFile["labs/"+id+"/lab.yaml"], c.byFile["labs/"+id+"/statement.md"])
	}
	out := slices.Clone(c.byFile["quizzes/"+id+".yaml"])
	for _, bank := range slices.Sorted(maps.Keys(c.quizzes[id].Banks)) {
		out = append(out, c.byFile["banks/"+bank+".yaml"]...)
	}
	return out
}

// Result is what compiling gives: the manifest and every blob it names.
type Result struct {
	Manifest     curriculum.Manifest
	ManifestJSON []byte // canonical: what Digest is the digest of
	Digest       blob.Digest
	Blobs        map[blob.Digest][]byte                                      // public
	Vault        []byte                                                      // VaultFile as JSON
	Advice       []fault.Detail                                              // what its author should think about; it refuses nothing
	Figures      map[curriculum.ContentID]map[curriculum.Locale]gate.Figures // of every item
}
