package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
)

const html5 = "text/html; charset=utf-8"

// writer renders pages in one language. The first error of a skeleton stays,
// so that a page is built without a check at every line.
type writer struct {
	*language
	site *Site
	err  error
}

func (s *Site) writer(locale string) *writer {
	return &writer{language: s.languages[locale], site: s}
}

func (w *writer) fill(name string, v values) string {
	out, err := w.skeletons[name].fill(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	return out
}

func (w *writer) t(key string, args map[string]any) string {
	return w.site.cfg.Words.T(w.locale, key, args)
}

func (w *writer) count(key string, n int) string {
	return w.t(key, map[string]any{"Count": n})
}

// spoken is what lang and dir say of a part of a page whose text is in another language than the page.
func (w *writer) spoken(textLocale string) string {
	if textLocale == w.locale {
		return ""
	}
	return attr("lang", textLocale) + attr("dir", i18n.Dir(textLocale))
}

func attr(name, value string) string {
	return " " + name + `="` + html.EscapeString(value) + `"`
}

// frame is what stands around the main part of a page.
type frame struct {
	kind        string // data-page
	title       string
	description string
	main        string
	// path is the page's address after "/<locale>", and canonical the address that stands for all like it; "" when none does.
	path, canonical string
	// spoken are the locales in which the page has its own text.
	spoken []string
	// alternates stand in place of the links to these, where a device is to write them.
	alternates string
	hidden     bool              // from search engines
	data       map[string]string // for the scripts: data-<name>
}

// page puts the frame around a main part.
func (w *writer) page(f frame) []byte {
	title := f.title
	if name := w.t("page.site", nil); title != name {
		title += " · " + name
	}
	out := w.fill("layout", values{
		"locale": w.locale, "dir": w.dir, "title": title, "description": f.description,
		"head": w.head(f), "nav": "", "main": f.main, "languages": w.languageLinks(f), "body_attrs": w.bodyAttrs(f),
	})
	return []byte(out + "\n")
}

func (w *writer) head(f frame) string {
	var b strings.Builder
	if f.hidden {
		b.WriteString("<meta name=\"robots\" content=\"noindex\">\n")
	}
	if f.canonical != "" {
		b.WriteString(w.link(` rel="canonical"`, w.locale, f.canonical))
		for _, l := range w.site.cfg.Words.Locales() {
			if slices.Contains(f.spoken, l) {
				b.WriteString(w.alternate(l, f.canonical))
			}
		}
		b.WriteString(f.alternates)
	}
	entry, words := w.entry(f.kind)
	b.WriteString(w.site.assets.head(entry, words, w.skeletons["layout"].text()+f.main))
	return strings.TrimSpace(b.String())
}

func (w *writer) link(attrs, locale, canonical string) string {
	return "<link" + attrs + attr("href", w.site.cfg.PublicURL+"/"+locale+canonical) + ">\n"
}

func (w *writer) alternate(locale, canonical string) string {
	return w.link(` rel="alternate"`+attr("hreflang", locale), locale, canonical)
}

// languageLinks lead to the same page in every language of the site.
func (w *writer) languageLinks(f frame) string {
	var b strings.Builder
	for _, locale := range w.site.cfg.Words.Locales() {
		l := w.site.languages[locale]
		current := ""
		if locale == w.locale {
			current = ` aria-current="true"`
		}
		b.WriteString(w.fill("language-link", values{
			"href": "/" + locale + f.path, "locale": locale, "name": l.name, "current": current, "dir": l.dir,
		}))
	}
	return b.String()
}

func (w *writer) bodyAttrs(f frame) string {
	out := attr("data-page", f.kind) + attr("data-locale", w.locale)
	for _, name := range []string{"course", "version", "item", "kind"} {
		if v, ok := f.data[name]; ok {
			out += attr("data-"+name, v)
		}
	}
	return strings.TrimSpace(out)
}

// leafed ends the rendering of a page of a course, which people leaf through.
func (w *writer) leafed(f frame) (*page, error) {
	p, err := w.done(w.page(f))
	if err == nil {
		p.cacheControl = briefly
	}
	return p, err
}

// done ends a rendering.
func (w *writer) done(body []byte) (*page, error) {
	if w.err != nil {
		return nil, w.err
	}
	return newPage(html5, revalidate, body), nil
}

func (s *Site) renderCatalogue(locale string, versions []curriculum.Version) (*page, error) {
	w := s.writer(locale)
	var items strings.Builder
	for _, v := range versions {
		m := &v.Manifest
		counts := map[curriculum.Kind]int{}
		for _, mod := range m.Modules {
			for _, it := range mod.Items {
				counts[it.Kind]++
			}
		}
		title, in := m.Title.Said(locale, m.SourceLocale, m.TitleLang)
		summary, summaryIn := m.Summary.Said(locale, m.SourceLocale, m.SummaryLang)
		summarySpoken := ""
		if summaryIn != in {
			summarySpoken = attr("lang", summaryIn) + attr("dir", i18n.Dir(summaryIn))
		}
		items.WriteString(w.fill("catalogue-item", values{
			"href":  courseHref(locale, string(v.CourseID), 0),
			"title": title, "summary": summary, "summary_spoken": summarySpoken,
			"minutes": w.count("page.minutes", m.Minutes), "lessons": w.count("page.lessons", counts[curriculum.Lesson]),
			"quizzes": w.count("page.quizzes", counts[curriculum.Quiz]), "labs": w.count("page.labs", counts[curriculum.Lab]),
			"locale": in, "dir": i18n.Dir(in),
		}))
	}
	if len(versions) == 0 {
		items.WriteString("<li>" + html.EscapeString(w.t("page.catalogue.none", nil)) + "</li>")
	}
	return w.done(w.page(w.catalogueFrame(items.String())))
}

func (w *writer) catalogueFrame(items string) frame {
	return frame{
		kind: "catalogue", title: w.t("page.catalogue.title", nil), description: w.t("page.catalogue.lead", nil),
		main: w.fill("catalogue", values{"items": items}),
		path: "/", canonical: "/", spoken: w.site.cfg.Words.Locales(),
	}
}

// coursePage is what every page of one course version shares.
type coursePage struct {
	*writer
	site    *Site
	key     key
	version *curriculum.Version
	m       *curriculum.Manifest
}

// renderCoursePage renders the course's own page, or one of its items.
func (s *Site) renderCoursePage(ctx context.Context, k key, v *curriculum.Version) (*page, error) {
	p := coursePage{writer: s.writer(k.locale), site: s, key: k, version: v, m: &v.Manifest}
	if k.item == "" {
		return p.course()
	}
	var items []curriculum.Item
	for _, mod := range p.m.Modules {
		items = append(items, mod.Items...)
	}
	at := slices.IndexFunc(items, func(it curriculum.Item) bool { return string(it.ID) == k.item })
	if at < 0 {
		return nil, errNoPage
	}
	return p.item(ctx, items, at)
}

func (p *coursePage) text(t curriculum.Text) string { return t.In(p.locale, p.m.SourceLocale) }

func (p *coursePage) spokenText(t curriculum.Text, langs curriculum.Langs) string {
	_, lang := t.Said(p.locale, p.m.SourceLocale, langs)
	return p.spoken(lang)
}

// href is an address inside the course: one that stays in this version when the page's own does.
func (p *coursePage) href(locale string) string {
	number := 0
	if p.key.pinned {
		number = p.key.number
	}
	return courseHref(locale, p.key.course, number)
}

func (p *coursePage) frame(kind, title string) frame {
	f := frame{
		kind: kind, title: title, spoken: p.m.Locales,
		path:      strings.TrimPrefix(p.href(p.locale), "/"+p.locale),
		canonical: strings.TrimPrefix(courseHref("", p.key.course, 0), "/"),
		data:      map[string]string{"course": p.key.course, "version": strconv.Itoa(p.key.number)},
	}
	if p.key.item != "" {
		f.path += "/" + p.key.item
		f.canonical += "/" + p.key.item
	}
	return f
}

func (p *coursePage) course() (*page, error) {
	var modules strings.Builder
	for _, mod := range p.m.Modules {
		var items strings.Builder
		for _, it := range mod.Items {
			items.WriteString(p.fill("item", values{
				"href": p.href(p.locale) + "/" + string(it.ID), "title": p.text(it.Title), "id": string(it.ID),
				"kind": string(it.Kind), "kind_label": p.kindLabel(it), "spoken": p.spokenText(it.Title, it.TitleLang),
			}))
		}
		modules.WriteString(p.fill("module", values{"title": p.text(mod.Title), "items": items.String(), "spoken": p.spokenText(mod.Title, mod.TitleLang)}))
	}
	f := p.frame("course", p.text(p.m.Title))
	f.description = p.text(p.m.Summary)
	f.main = p.fill("course", values{
		"title": f.title, "summary": f.description, "spoken": p.spokenText(p.m.Title, p.m.TitleLang),
		"summary_spoken": p.spokenText(p.m.Summary, p.m.SummaryLang), "minutes": p.count("page.minutes", p.m.Minutes), "licence": p.m.Licence,
		"authors": p.site.cfg.Words.List(p.locale, p.m.Authors), "modules": modules.String(),
		"course": p.key.course, "version": strconv.Itoa(p.key.number), "competences": p.competences(),
	})
	return p.leafed(f)
}

// kindLabel tells what an item is and what it costs to load: whoever pays for each megabyte wants to know before.
func (p *coursePage) kindLabel(it curriculum.Item) string {
	label := p.t("page.kind."+string(it.Kind), nil)
	w, ok := it.Weight[p.locale]
	if !ok {
		w = it.Weight[p.m.SourceLocale]
	}
	if w.All == 0 { // published before there were figures
		return label
	}
	return label + " · " + p.t("page.kilobytes", map[string]any{"Size": (w.All + 999) / 1000})
}

// competences says by name what the course builds: what its certificate attests, or else what its items serve.
func (p *coursePage) competences() string {
	ids := p.m.Achievement.Competences
	if len(ids) == 0 {
		for _, mod := range p.m.Modules {
			for _, it := range mod.Items {
				ids = append(ids, it.Competences...)
			}
		}
	}
	var out strings.Builder
	for _, g := range framework.Shipped().Group(ids) {
		title, lang := g.Framework.Title.In(p.locale, g.Framework.Language)
		out.WriteString(p.fill("framework", values{"title": title, "spoken": p.spoken(lang), "competences": p.listed(p.named(g))}))
	}
	if out.Len() == 0 {
		return ""
	}
	return p.fill("competences", values{"frameworks": out.String()})
}

// serves says by name which competences an item serves. Frameworks may share a name: it is said once.
func (p *coursePage) serves(it curriculum.Item) string {
	var names []string
	for _, g := range framework.Shipped().Group(it.Competences) {
		for _, name := range p.named(g) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return p.fill("serves", values{"competences": p.listed(names)})
}

// named fills a competence for each of a group.
func (p *coursePage) named(g framework.Group) []string {
	var names []string
	for _, c := range g.Competences {
		name, lang := c.Name.In(p.locale, g.Framework.Language)
		names = append(names, p.fill("competence", values{"name": name, "spoken": p.spoken(lang)}))
	}
	return names
}

func (p *coursePage) listed(filled []string) string {
	return p.site.cfg.Words.List(p.locale, filled)
}

func (p *coursePage) item(ctx context.Context, items []curriculum.Item, at int) (*page, error) {
	it := items[at]
	f := p.frame(string(it.Kind), p.text(it.Title))
	f.data["item"], f.data["kind"] = string(it.ID), string(it.Kind)
	f.description = p.text(p.m.Summary)
	v := values{
		"title": f.title, "spoken": p.spokenText(it.Title, it.TitleLang), "course_title": p.text(p.m.Title), "course_href": p.href(p.locale),
		"course_spoken": p.spokenText(p.m.Title, p.m.TitleLang),
		"position":      p.t("page.position", map[string]any{"Number": at + 1, "Total": len(items)}),
		"previous":      "", "next": "", "translation": p.translation(it), "competences": p.serves(it),
	}
	if at > 0 {
		v["previous"] = p.neighbour(items[at-1], "prev", "page.previous")
	}
	if at+1 < len(items) {
		v["next"] = p.neighbour(items[at+1], "next", "page.next")
	}
	f.title += " · " + p.text(p.m.Title)
	var err error
	switch it.Kind {
	case curriculum.Lesson:
		v["fragment"], err = p.fragment(ctx, it)
		if about := firstParagraph(v["fragment"]); about != "" {
			f.description = about
		}
	case curriculum.Quiz:
		err = p.quiz(ctx, it, v)
	case curriculum.Lab:
		if v["fragment"], err = p.fragment(ctx, it); err == nil {
			err = p.lab(ctx, it, v)
		}
	default:
		err = fmt.Errorf("item %s of course %s is of no known kind: %q", it.ID, p.key.course, it.Kind)
	}
	if err != nil {
		return nil, err
	}
	f.main = p.fill(string(it.Kind), v)
	return p.leafed(f)
}

func (p *coursePage) neighbour(it curriculum.Item, rel, label string) string {
	return p.fill("nav-link", values{
		"href": p.href(p.locale) + "/" + string(it.ID), "title": p.text(it.Title),
		"rel": rel, "label": p.t(label, nil), "spoken": p.spokenText(it.Title, it.TitleLang),
	})
}

// translation says what a reader should know of an item's language: that parts of it, or all, are in another, that
// parts may be out of date, or that nobody has reviewed it.
func (p *coursePage) translation(it curriculum.Item) string {
	if p.locale == p.m.SourceLocale {
		return ""
	}
	tr, known := it.Translations[p.locale]
	if !known && slices.Contains(p.m.Locales, p.locale) {
		return "" // a version of old
	}
	var notes []string
	note := func(key string) { notes = append(notes, html.EscapeString(p.t(key, nil))) }
	if tr.Fresh+tr.Stale == 0 {
		note("page.translation.none")
	} else {
		if tr.Missing > 0 {
			note("page.translation.mixed")
		}
		if tr.Stale > 0 {
			note("page.translation.stale")
		}
		if tr.State == "draft" {
			note("page.translation.draft")
		}
	}
	if len(notes) == 0 {
		return ""
	}
	return `<p class="translation">` + strings.Join(notes, " ") + "</p>"
}

// in chooses a blob in the page's language, or else in the source's.
func (p *coursePage) in(blobs map[string]blob.Digest) (d blob.Digest, locale string) {
	if d, ok := blobs[p.locale]; ok {
		return d, p.locale
	}
	return blobs[p.m.SourceLocale], p.m.SourceLocale
}

func (p *coursePage) fragment(ctx context.Context, it curriculum.Item) (string, error) {
	digest, locale := p.in(it.Fragment)
	data, err := p.site.cfg.Courses.PublicBlob(ctx, digest)
	if err != nil {
		return "", fmt.Errorf("open fragment of %s in course %s: %w", it.ID, p.key.course, err)
	}
	// The compiler marks what it took from the source language. What the course
	// does not speak at all is marked here.
	if m := otherLanguage.FindSubmatch(data); m != nil {
		locale = string(m[1])
	}
	out := p.label(string(data), locale)
	if locale != p.locale && !otherLanguage.Match(data) {
		out = "<div" + p.spoken(locale) + ">\n" + out + "</div>\n"
	}
	return strings.TrimSpace(out), nil
}

// otherLanguage is how the compiler begins a fragment that stands in for a missing translation.
var otherLanguage = regexp.MustCompile(`^<div lang="([A-Za-z0-9-]+)" dir="(?:ltr|rtl)">\n`)

// blockStart is the beginning of a block, see internal/curriculum/page.
var blockStart = regexp.MustCompile(`(<(aside|figure|section|details) class="block [a-z]+" data-label="(block\.[a-z]+)">\n?)(<figcaption[^>]*>|<summary[^>]*>)?`)

// recording is what a recording costs, in numbers, see internal/curriculum/page.
var recording = regexp.MustCompile(`<p class="size" data-seconds="([0-9]+)" data-bytes="([0-9]+)"></p>`)

// label writes the words that a fragment leaves to its page: what a recording costs, and the name of each block. It puts that word at the top of each block, as text, so that it is read aloud
// too. The word is in the language of the text around it, if the catalogue speaks that.
func (p *coursePage) label(fragment, locale string) string {
	spoken := ""
	if !p.site.cfg.Words.Has(locale) {
		spoken = attr("lang", p.locale) + attr("dir", p.dir)
		locale = p.locale
	}
	fragment = recording.ReplaceAllStringFunc(fragment, func(found string) string {
		m := recording.FindStringSubmatch(found)
		seconds, _ := strconv.ParseInt(m[1], 10, 32)
		size, _ := strconv.ParseInt(m[2], 10, 64)
		lasts := fault.Lasting(time.Duration(seconds) * time.Second)
		text := p.site.cfg.Words.T(locale, "page.recording", map[string]any{"Lasts": lasts, "Size": fault.Bytes(size)})
		return `<p class="size"` + spoken + ">" + html.EscapeString(text) + "</p>"
	})
	return blockStart.ReplaceAllStringFunc(fragment, func(start string) string {
		m := blockStart.FindStringSubmatch(start)
		label := func(tag string) string {
			word, spoken := html.EscapeString(p.site.cfg.Words.T(locale, m[3], nil)), spoken
			if strings.Contains(m[4], " lang=") { // a title in another language than the word
				spoken = attr("lang", locale) + attr("dir", i18n.Dir(locale))
			}
			return "<" + tag + ` class="block-label"` + spoken + ">" + word + "</" + tag + ">"
		}
		switch {
		case m[4] != "":
			return m[1] + m[4] + label("span") + " "
		case m[2] == "figure":
			return m[1] + "<figcaption>" + label("span") + "</figcaption>\n"
		}
		return m[1] + label("p") + "\n"
	})
}

// data opens the JSON of a quiz or lab, and gives it in a form that can stand
// in a script element. source is the same in the course's own language. A language that the course does not speak at all
// gets the source, and `spoken` names its language: the texts themselves say only where they differ from the rest.
func (p *coursePage) data(ctx context.Context, it curriculum.Item, into, source any) (string, error) {
	digest, locale := p.in(it.Data)
	data, err := p.read(ctx, it, digest, into)
	if err != nil {
		return "", err
	}
	if _, err := p.read(ctx, it, it.Data[p.m.SourceLocale], source); err != nil {
		return "", err
	}
	data = bytes.TrimSpace(data)
	if locale != p.locale && bytes.HasPrefix(data, []byte(`{"`)) {
		data = append([]byte(`{"spoken":"`+locale+`",`), data[1:]...)
	}
	var b bytes.Buffer
	json.HTMLEscape(&b, data) // "</script>" in a text must not end the element
	return b.String(), nil
}

func (p *coursePage) read(ctx context.Context, it curriculum.Item, digest blob.Digest, into any) ([]byte, error) {
	data, err := p.site.cfg.Courses.PublicBlob(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("open %s of course %s: %w", it.ID, p.key.course, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nil, fmt.Errorf("read %s of course %s: %w", it.ID, p.key.course, err)
	}
	return data, nil
}

// spokenAs marks a text in another language than the page's: lang names it. Where it names none, the text is in the data's language; but in
// versions of old, which have no count of translations, it is the source's where it is the same.
func (p *coursePage) spokenAs(it curriculum.Item, lang, text, source string) string {
	if lang != "" {
		return p.spoken(lang)
	}
	_, counted := it.Translations[p.locale]
	_, own := it.Data[p.locale]
	if !own || !counted && text == source {
		return p.spoken(p.m.SourceLocale)
	}
	return ""
}

func (p *coursePage) quiz(ctx context.Context, it curriculum.Item, v values) error {
	var q, source quiz.Public
	data, err := p.data(ctx, it, &q, &source)
	if err != nil {
		return err
	}
	original := map[string]string{} // texts of the source, by where they stand
	for _, qu := range source.Questions {
		original[qu.ID] = qu.Prompt
		for _, o := range optionsOf(qu) {
			original[qu.ID+"/"+o.ID+o.side] = o.Text
		}
	}
	var questions strings.Builder
	for i, qu := range q.Questions {
		var options strings.Builder
		for _, o := range optionsOf(qu) {
			options.WriteString(p.fill("option", values{"text": o.Text, "spoken": p.spokenAs(it, o.Lang, o.Text, original[qu.ID+"/"+o.ID+o.side])}))
		}
		questions.WriteString(p.fill("question", values{
			"number": strconv.Itoa(i + 1), "prompt": qu.Prompt, "options": options.String(), "spoken": p.spokenAs(it, qu.Lang, qu.Prompt, original[qu.ID]),
		}))
	}
	v["questions"], v["data"] = questions.String(), data
	return nil
}

// sided is an option, and of a pair which side it is: both have the pair's id.
type sided struct {
	quiz.Option
	side string
}

func optionsOf(q quiz.PublicQuestion) []sided {
	var out []sided
	for side, options := range [][]quiz.Option{q.Options, q.Lefts, q.Rights} {
		for _, o := range options {
			out = append(out, sided{o, "/" + strconv.Itoa(side)})
		}
	}
	return out
}

func (p *coursePage) lab(ctx context.Context, it curriculum.Item, v values) error {
	var lab, source labdef.Public
	data, err := p.data(ctx, it, &lab, &source)
	if err != nil {
		return err
	}
	original := map[string]string{}
	for _, c := range source.Checks {
		original[c.ID] = c.Title
	}
	var checks strings.Builder
	for _, c := range lab.Checks {
		call := ""
		if c.Rule != nil {
			call = c.Rule.Call
		}
		checks.WriteString(p.fill("check", values{"title": c.Title, "call": call, "spoken": p.spokenAs(it, lab.Langs["check."+c.ID+".title"], c.Title, original[c.ID])}))
	}
	// Who has no JavaScript reads the data and the hints here; the desk shows them itself.
	var files, hints strings.Builder
	shown := maps.Clone(lab.Starter) // versions published before have their data here
	maps.Copy(shown, lab.Files)
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if name != lab.Entry {
			files.WriteString(p.fill("lab-file", values{"name": name, "text": shown[name]}))
		}
	}
	for i, text := range lab.Hints {
		spoken := ""
		if i < len(source.Hints) {
			spoken = p.spokenAs(it, lab.Langs["hint."+strconv.Itoa(i+1)], text, source.Hints[i])
		}
		hints.WriteString(p.fill("lab-hint", values{"label": p.t("page.lab.hint", map[string]any{"Number": i + 1}), "text": text, "spoken": spoken}))
	}
	v["starter"], v["checks"], v["data"] = lab.Starter[lab.Entry], checks.String(), data
	v["files"], v["hints"] = files.String(), hints.String()
	return nil
}

var (
	paragraph = regexp.MustCompile(`(?s)<p>(.*?)</p>`)
	tags      = regexp.MustCompile(`<[^>]*>`)
)

// describable is about what search engines show.
const describable = 160

// firstParagraph gives the words a lesson begins with.
func firstParagraph(fragment string) string {
	m := paragraph.FindStringSubmatch(fragment)
	if m == nil {
		return ""
	}
	text := strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(m[1], ""))), " ")
	if utf8.RuneCountInString(text) <= describable {
		return text
	}
	cut := string([]rune(text)[:describable])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + " …"
}

// renderApp renders the page in which the app runs.
func (s *Site) renderApp(locale string) (*page, error) {
	w := s.writer(locale)
	return w.done(w.page(w.appFrame()))
}

func (w *writer) appFrame() frame {
	return frame{kind: "app", title: w.t("page.site", nil), description: w.t("page.catalogue.lead", nil), main: w.fill("app", nil), path: "/", hidden: true}
}
