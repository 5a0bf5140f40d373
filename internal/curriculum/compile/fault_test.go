package compile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/fault"
)

// faultsOf lists what is wrong with a course as "file:line key".
func faultsOf(t testing.TB, fsys fs.FS) []string {
	t.Helper()
	_, err := compile.Course(fsys, compile.Options{})
	if err == nil {
		return nil
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Invalid || f.Key != "course.invalid" || len(f.Details) == 0 {
		t.Fatalf("not a fault of a course: %v", err)
	}
	var out []string
	for _, d := range f.Details {
		if d.Line < 1 || d.File == "" || d.Key == "" {
			t.Errorf("fault without a place: %+v", d)
		}
		out = append(out, fmt.Sprintf("%s:%d %s", d.File, d.Line, d.Key))
	}
	return out
}

// edit is one thing done to the golden course.
type edit func(t *testing.T, m fstest.MapFS)

// change replaces a text that stands in the file once.
func change(file, old, with string) edit {
	return func(t *testing.T, m fstest.MapFS) {
		t.Helper()
		f := m[file]
		if f == nil || strings.Count(string(f.Data), old) != 1 {
			t.Fatalf("%s holds %q %d times", file, old, strings.Count(string(f.Data), old))
		}
		f.Data = []byte(strings.Replace(string(f.Data), old, with, 1))
	}
}

func put(file, data string) edit {
	return func(_ *testing.T, m fstest.MapFS) { m[file] = &fstest.MapFile{Data: []byte(data), Mode: 0o644} }
}

func remove(file string) edit {
	return func(_ *testing.T, m fstest.MapFS) { delete(m, file) }
}

func mode(file string, mode fs.FileMode) edit {
	return func(_ *testing.T, m fstest.MapFS) { m[file] = &fstest.MapFile{Data: []byte("x"), Mode: mode} }
}

func TestFaults(t *testing.T) {
	const (
		course   = "course.yaml"
		exam     = "quizzes/exam.yaml"
		practice = "quizzes/practice.yaml"
		lab      = "labs/echo/lab.yaml"
		lesson   = "lessons/second.md"
		ar       = "locales/ar/only.po"
	)
	title := "# The second\n\n"
	tests := []struct {
		name string
		edit edit
		want string // "file:line key", several with a comma and a space
	}{
		// The folder.
		{"no course.yaml", remove(course), "course.yaml:1 course.no_course_file"},
		{"hidden files do not count", put("lessons/.DS_Store", "\x00"), ""},
		{"a readme does not count", put("README.md", "\x00"), ""},
		{"stray file", put("notes.txt", "x"), "notes.txt:1 course.unlisted_file"},
		{"stray folder", put("figures/a.png", "x"), "figures:1 course.unlisted_folder"},
		{"misspelt locale part", put("lessons/first_ar.md", "x"), "lessons/first_ar.md:1 course.unlisted_file"},
		{"unlisted lesson", put("lessons/third.md", "# Third\n\nText.\n"), "lessons/third.md:1 course.not_in_course"},
		{"unlisted quiz", put("quizzes/more.yaml", "title: T\ngraded: false\nquestions: [{id: qq, type: number, prompt: P, answer: 1, feedback: {correct: c, incorrect: i}}]\n"), "quizzes/more.yaml:1 course.not_in_course"},
		{"unlisted lab", put("labs/more/notes.txt", "x"), "labs/more/notes.txt:1 course.not_in_course"},
		{"missing lesson", remove(lesson), "course.yaml:15 course.missing_file"},
		{"missing quiz", remove(practice), "course.yaml:16 course.missing_file"},
		{"missing statement", remove("labs/echo/statement.md"), "course.yaml:18 course.missing_file"},
		{"missing starter", remove("labs/echo/starter.py"), "labs/echo/lab.yaml:1 course.missing_file"},
		{"missing solution", remove("labs/echo/solution.py"), "labs/echo/lab.yaml:1 course.missing_file"},
		{"symlink", mode("lessons/extra.md", fs.ModeSymlink|0o777), "lessons/extra.md:1 course.symlink"},
		{"pipe", mode("lessons/extra.md", fs.ModeNamedPipe), "lessons/extra.md:1 course.not_a_file"},
		{"same name but for case", put("lessons/First.md", "x"), "lessons/first.md:1 course.duplicate_name, lessons/First.md:1 course.unlisted_file, course.yaml:14 course.missing_file"},
		{"backslash in a name", put(`lessons/a\b.md`, "x"), `lessons/a\b.md:1 course.bad_name`},
		{"lesson too large", put(lesson, title+strings.Repeat("word ", 60<<10)), "lessons/second.md:1 course.file_too_large"},
		{"file too large", put("labs/echo/words.csv", strings.Repeat("x", 1<<20+1)), "labs/echo/words.csv:1 course.file_too_large"},
		{"all too large", func(_ *testing.T, m fstest.MapFS) {
			for i := range 100 {
				m[fmt.Sprintf("labs/echo/w%03d.csv", i)] = &fstest.MapFile{Data: make([]byte, 1<<20)}
			}
		}, "*course.yaml:1 course.too_large_in_all"},
		{"too many files", func(_ *testing.T, m fstest.MapFS) {
			for i := range 10_001 {
				m[fmt.Sprintf("lessons/l%d.md", i)] = &fstest.MapFile{Data: []byte("# T\n\nText\n")}
			}
		}, "*course.yaml:1 course.too_many_files"},
		{"NUL", put(lesson, title+"a\x00b\n"), "lessons/second.md:3 course.control_character"},
		{"bad UTF-8", put(lesson, title+"\n\xff\n"), "lessons/second.md:4 course.not_utf8"},
		{"carriage return", put(lesson, "# T\n\nOne\rTwo\n"), "lessons/second.md:3 course.carriage_return"},

		// YAML.
		{"syntax", change(course, "minutes: 30", "minutes: [30"), "course.yaml:9 course.bad_yaml"},
		{"empty", put(exam, "# nothing\n"), "quizzes/exam.yaml:1 course.empty_file"},
		{"a list", put(exam, "- a\n"), "quizzes/exam.yaml:1 course.not_a_map"},
		{"two documents", put(exam, "title: a\n---\ntitle: b\n"), "quizzes/exam.yaml:2 course.second_document"},
		{"anchor", change(exam, "title: Exam", "title: &a Exam"), "quizzes/exam.yaml:1 course.yaml_alias"},
		{"alias to nothing", change(exam, "title: Exam", "title: *a"), "quizzes/exam.yaml:1 course.yaml_alias"},
		{"bomb", put(exam, bomb()), "*quizzes/exam.yaml:1 course.yaml_alias"},
		{"tab", put(exam, "title: a\n\tgraded: true\n"), "quizzes/exam.yaml:2 course.bad_yaml"},
		{"colon in a text", change(exam, "prompt: In order.", "prompt: In: order."), "quizzes/exam.yaml:21 course.bad_yaml"},
		{"indented too far", change(course, "minutes: 30", "  minutes: 30"), "course.yaml:9 course.bad_yaml"},
		{"open quote", change(exam, "title: Exam", `title: "Exam`), "*quizzes/exam.yaml:1 course.bad_yaml"},
		{"tag", change(exam, "title: Exam", "title: !!binary RXhhbQ=="), "quizzes/exam.yaml:1 course.yaml_tag"},
		{"deep", put(exam, "title: "+strings.Repeat("[", 40)+strings.Repeat("]", 40)), "*quizzes/exam.yaml:1 course.too_deep"},
		{"very deep", put(exam, "\ntitle: "+strings.Repeat("[", 100000)), "quizzes/exam.yaml:2 course.too_deep"},
		{"deep in dashes", put(exam, "\n"+strings.Repeat("- ", 100000)), "quizzes/exam.yaml:2 course.too_deep"},
		{"same key twice", change(exam, "graded: true", "graded: true\ntitle: Again"), "quizzes/exam.yaml:3 course.duplicate_key"},
		{"key is a number", change(exam, "graded: true", "graded: true\n7: Again"), "quizzes/exam.yaml:3 course.key_not_text"},
		{"merge key", change(exam, "graded: true", "graded: true\n<<: {a: b}"), "quizzes/exam.yaml:3 course.unknown_key"},
		{"octal", change(course, "minutes: 30", "minutes: 030"), "course.yaml:9 course.bad_number"},
		{"infinite", change(exam, "answer: 73519.25", "answer: .inf"), "quizzes/exam.yaml:39 course.bad_number"},
		{"beyond exact", change(lab, `equals: a`, `equals: 9007199254740993`), "labs/echo/lab.yaml:14 course.bad_number"},

		// course.yaml.
		{"unknown key", change(course, "minutes: 30", "minutes: 30\nminuts: 4"), "course.yaml:10 course.unknown_key"},
		{"missing key", change(course, "minutes: 30\n", ""), "course.yaml:1 course.missing_key"},
		{"missing inner key", change(course, "  labs: all\n", ""), "course.yaml:19 course.missing_key"},
		{"number for text", change(course, "title: A golden course", "title: 7"), "course.yaml:3 course.not_text"},
		{"text for number", change(course, "minutes: 30", "minutes: half an hour"), "course.yaml:9 course.not_whole"},
		{"no whole number", change(course, "minutes: 30", "minutes: 30.5"), "course.yaml:9 course.not_whole"},
		{"not a list", change(course, "authors: [Banyan contributors]", "authors: Banyan"), "course.yaml:8 course.not_a_list"},
		{"bad id", change(course, "id: golden", "id: Golden!"), "course.yaml:2 course.bad_id"},
		{"bad locale", change(course, "[en, ar, fr]", "[en, arabic]"), "*course.yaml:6 course.bad_locale"},
		{"no such locale", change(course, "[en, ar, fr]", "[en, ar, fr, zzz]"), "course.yaml:6 course.bad_locale"},
		{"misspelt locale", change(course, "[en, ar, fr]", "[en, ar, fr, PT-br]"), "course.yaml:6 course.locale_spelling"},
		{"locale twice", change(course, "[en, ar, fr]", "[en, ar, ar, fr]"), "course.yaml:6 course.repeated"},
		{"source not listed", change(course, "[en, ar, fr]", "[ar]"), "*course.yaml:5 course.source_not_listed"},
		{"blank title", change(course, "title: A golden course", `title: "  "`), "course.yaml:3 course.bad_line"},
		{"title of two lines", change(course, "title: A golden course", `title: "a\nb"`), "course.yaml:3 course.bad_line"},
		{"blank summary", change(course, "summary: It has one of everything.", `summary: ""`), "course.yaml:4 course.empty_text"},
		{"long summary", change(course, "It has one of everything.", strings.Repeat("x", 2001)), "course.yaml:4 course.text_too_long"},
		{"licence with spaces", change(course, "CC-BY-SA-4.0", "public domain"), "course.yaml:7 course.bad_licence"},
		{"no authors", change(course, "[Banyan contributors]", "[]"), "course.yaml:8 course.too_few"},
		{"no time", change(course, "minutes: 30", "minutes: 0"), "course.yaml:9 course.number_too_small"},
		{"score above one", change(course, "quizzes: 0.5", "quizzes: 70"), "course.yaml:21 course.number_too_large"},
		{"neither all nor none", change(course, "lessons: all", "lessons: some"), "course.yaml:20 course.not_one_of"},
		{"nothing to do", change(course, "lessons: all\n  quizzes: 0.5\n  labs: all", "lessons: none\n  quizzes: 0\n  labs: none"), "course.yaml:19 course.criteria_empty"},
		{"item of two kinds", change(course, "- quiz: exam", "- quiz: exam\n        lab: echo"), "course.yaml:17 course.item_kinds"},
		{"item twice", change(course, "- quiz: exam", "- quiz: exam\n      - quiz: exam"), "course.yaml:18 course.duplicate_id"},
		{"module twice", change(course, "criteria:", "  - id: only\n    title: Again\n    items: [{lesson: first}]\ncriteria:"), "course.yaml:19 course.duplicate_id, course.yaml:21 course.duplicate_id"},
		{"item named as the course", change(course, "id: golden", "id: first"), "course.yaml:14 course.item_named_as_course"},

		// Translations.
		{"broken translations", put(ar, "msgid \"a\n"), "locales/ar/only.po:1 po.open_quote"},
		{"language not listed", put("locales/es/course.po", "msgid \"a\"\nmsgstr \"b\"\n"), "locales/es/course.po:1 locale.not_listed"},
		{"translations of no module", put("locales/fr/gone.po", "msgid \"a\"\nmsgstr \"b\"\n"), "locales/fr/gone.po:1 locale.no_module"},
		{"fallback not listed", change("course.yaml", "{ar: [fr]}", "{ar: [es]}"), "course.yaml:27 course.fallback_not_listed"},
		{"module named course", change("course.yaml", "id: only", "id: course"), "course.yaml:11 course.module_named_course, locales/ar/only.po:1 locale.no_module, locales/fr/only.po:1 locale.no_module"},
		{"texts of the source", put("locales/en/course.po", "msgid \"a\"\nmsgstr \"b\"\n"), "locales/en/course.po:1 locale.source"},

		// Lessons.
		{"no title", put(lesson, "Text.\n"), "lessons/second.md:1 lesson.no_title"},
		{"title not first", put(lesson, "\n# Late\n\nText.\n"), "*lessons/second.md:1 lesson.no_title"},
		{"empty title", put(lesson, "#\n\nText.\n"), "lessons/second.md:1 lesson.no_title"},
		{"second title", put(lesson, title+"a\n\n# More\n"), "lessons/second.md:5 lesson.second_title"},
		{"only a title", put(lesson, title), "lessons/second.md:1 lesson.empty"},
		{"heading jump", put(lesson, title+"### Deep\n\ntext\n"), "lessons/second.md:3 lesson.heading_jump"},
		{"empty heading", put(lesson, title+"##\n\ntext\n"), "lessons/second.md:3 lesson.empty_heading"},
		{"html block", put(lesson, title+"text\n\n<div>\nhey\n</div>\n"), "lessons/second.md:5 lesson.raw_html"},
		{"inline html", put(lesson, title+"text\nand <b>bold</b>\n"), "lessons/second.md:4 lesson.raw_html"},
		{"html comment in a list", put(lesson, title+"- a\n- b <!-- x -->\n"), "lessons/second.md:4 lesson.raw_html"},
		{"stars at a link between letters", put(lesson, title+"text\n叫作**[词](term:training)**。\n"), "lessons/second.md:4 lesson.loose_stars"},
		{"stars that nothing closes", put(lesson, title+"| a |\n|---|\n| **b |\n"), "lessons/second.md:5 lesson.loose_stars"},
		{"image", put(lesson, title+"a\n![x](https://e.org/x.png)\n"), "lessons/second.md:4 lesson.image"},
		{"http", put(lesson, title+"a\n\n[x](http://e.org)\n"), "lessons/second.md:5 lesson.bad_link"},
		{"javascript", put(lesson, title+"[x](javascript:alert(1))\n"), "lessons/second.md:3 lesson.bad_link"},
		{"data", put(lesson, title+"[x](data:text/html;base64,AAAA)\n"), "lessons/second.md:3 lesson.bad_link"},
		{"relative", put(lesson, title+"[x](../../../etc/passwd)\n"), "lessons/second.md:3 lesson.bad_link"},
		{"protocol-relative", put(lesson, title+"[x](//e.org)\n"), "lessons/second.md:3 lesson.bad_link"},
		{"credentials in a link", put(lesson, title+"[x](https://a:b@e.org)\n"), "lessons/second.md:3 lesson.bad_link"},
		{"link by reference", put(lesson, title+"[x][y]\n\n[y]: ftp://e.org\n"), "lessons/second.md:5 lesson.link_definition"},
		{"link in a table", put(lesson, title+"| a |\n|---|\n| [x](http://e.org) |\n"), "lessons/second.md:5 lesson.bad_link"},
		{"mail", put(lesson, title+"<a@e.org>\n"), "lessons/second.md:3 lesson.bad_link"},
		{"link without words", put(lesson, title+"a [](https://e.org)\n"), "lessons/second.md:3 lesson.empty_link"},
		{"no such lesson", put(lesson, title+"[x](lesson:nowhere)\n"), "lessons/second.md:3 lesson.unknown_lesson"},
		{"a quiz is no lesson", put(lesson, title+"[x](lesson:exam)\n"), "lessons/second.md:3 lesson.unknown_lesson"},
		{"unknown block", put(lesson, title+"::: warning\nx\n:::\n"), "lessons/second.md:3 lesson.unknown_block"},
		{"unclosed block", put(lesson, title+"::: note\nx\n"), "lessons/second.md:3 lesson.unclosed_block"},
		{"stray end", put(lesson, title+"x\n\n:::\n"), "lessons/second.md:5 lesson.stray_block_end"},
		{"nested block", put(lesson, title+"::: note\n::: activity\nx\n:::\n:::\n"), "lessons/second.md:4 lesson.nested_block"},
		{"block in a list", put(lesson, title+"- a\n\n  ::: note\n  x\n  :::\n"), "lessons/second.md:5 lesson.nested_block"},
		{"titled note", put(lesson, title+"::: note Title\nx\n:::\n"), "lessons/second.md:3 lesson.block_title"},
		{"empty block", put(lesson, title+"::: note\n:::\n\nText.\n"), "lessons/second.md:3 lesson.empty_block"},
		{"old block", put(lesson, title+"::: try\nx\n:::\n"), "lessons/second.md:3 lesson.unknown_block"},
		{"definition of nothing", put(lesson, title+"::: definition\nx\n:::\n"), "lessons/second.md:3 lesson.missing_block_title"},
		{"link in a title", put(lesson, title+"::: reveal [x](https://e.org)\nx\n:::\n"), "lessons/second.md:3 lesson.title_markup"},
		{"no such lab", put(lesson, title+"::: lab none\n:::\n"), "lessons/second.md:3 lesson.unknown_lab"},
		{"a lesson is no lab", put(lesson, title+"::: lab first\n:::\n"), "lessons/second.md:3 lesson.unknown_lab"},
		{"lab without a name", put(lesson, title+"::: lab\n:::\n"), "lessons/second.md:3 lesson.names_nothing"},
		{"no such picture", put(lesson, title+"::: figure none.svg\n:alt: A road.\n:::\n"), "lessons/second.md:3 lesson.unknown_media"},
		{"picture without words", put(lesson, title+"::: figure road.svg\n:::\n"), "lessons/second.md:3 lesson.missing_option"},
		{"empty alt", put(lesson, title+"::: figure road.svg\n:alt:\n:::\n"), "lessons/second.md:4 lesson.empty_option"},
		{"alt twice", put(lesson, title+"::: figure road.svg\n:alt: A road.\n:alt: A way.\n:::\n"), "lessons/second.md:5 lesson.option_twice"},
		{"unknown option", put(lesson, title+"::: note\n:colour: red\nx\n:::\n"), "lessons/second.md:4 lesson.unknown_option"},
		{"a picture is no recording", put(lesson, title+"::: audio road.svg\n:title: t\nx\n:::\n"), "lessons/second.md:3 lesson.wrong_media"},
		{"recording without a transcript", put(lesson, title+"::: audio talk.opus\n:title: t\n:::\n"), "lessons/second.md:3 lesson.empty_block"},
		{"no such term", put(lesson, title+"[x](term:none)\n"), "lessons/second.md:3 lesson.unknown_term"},
		{"indented code", put(lesson, title+"x\n\n    y\n"), "lessons/second.md:5 lesson.indented_code"},
		{"the same id twice", put(lesson, "# The second {#dfd3bmm}\n\nA. {#ydd2635}\n\nB. {#mk79j72}\n"), "lessons/second.md:5 lesson.duplicate_segment_id"},
		{"no id", put(lesson, title+"a {#Title}\n"), "lessons/second.md:3 lesson.bad_segment_id"},
		{"term twice", change("glossary.yaml", "id: unused", "id: training"), "glossary.yaml:3 course.duplicate_id"},
		{"medium without an entry", put("media/extra.png", "x"), "media/extra.png:1 media.not_listed, media/extra.png:1 media.wrong_type"},
		{"entry without a file", remove("media/dot.png"), "media.yaml:3 course.missing_file, lessons/first.md:63 lesson.unknown_media"},
		{"entry twice", change("media.yaml", "file: dot.png", "file: road.svg"), "media.yaml:3 media.listed_twice, media/dot.png:1 media.not_listed"},
		{"alt is a file's name", put(lesson, title+"::: figure road.svg\n:alt: road.svg\n:::\n"), "lessons/second.md:4 gate.alt_is_a_name"},
		{"alt without an end", put(lesson, title+"::: figure road.svg\n:alt: "+strings.Repeat("a road ", 50)+"\n:::\n"), "lessons/second.md:4 gate.alt_too_long"},
		{"medium under no licence of ours", change("media.yaml", "dot.png, licence: CC0-1.0", "dot.png, licence: Shareware"), "media.yaml:3 gate.unknown_licence"},
		{"medium not for trade", change("media.yaml", "dot.png, licence: CC0-1.0", "dot.png, licence: CC-BY-NC-4.0"), "media.yaml:3 gate.licence_misfit"},
		{"medium from nowhere", change("media.yaml", "dot.png, licence: CC0-1.0, source: Drawn for this test", "dot.png, licence: CC0-1.0, source: Internet"), "media.yaml:3 gate.no_source"},
		{"pale words", change("media/road.svg", "fill=\"#1b2a33\">Here", "fill=\"#fafafa\">Here"), "media/road.svg:4 gate.contrast"},
		{"a page for a picture", put("media/dot.png", "<!DOCTYPE html><script>alert(1)</script>"), "media/dot.png:1 media.wrong_type"},
		{"a picture and an archive", put("media/dot.png", "PK\x03\x04\x89PNG\r\n\x1a\n"), "media/dot.png:1 media.wrong_type"},
		{"a cut off picture", put("media/dot.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"), "media/dot.png:1 media.picture_broken"},
		{"a cut off recording", put("media/talk.opus", "OggS\x00\x02"), "media/talk.opus:1 media.sound_broken"},
		{"heavy recording", change("course.yaml", "criteria:", "budget: {audio_kib: 3}\ncriteria:"), "lessons/first.md:1 gate.audio_heavy"},
		{"link out of a drawing", change("media/road.svg", "<rect", "<a href=\"https://e.org\"><rect/></a><rect"), "media/road.svg:2 media.svg_element"},
		{"picture in a drawing", change("media/road.svg", "<rect", "<image href=\"https://e.org/x.png\"/><rect"), "media/road.svg:2 media.svg_element"},
		{"page in a drawing", change("media/road.svg", "<rect", "<foreignObject><p>x</p></foreignObject><rect"), "media/road.svg:2 media.svg_element"},
		{"style in a drawing", change("media/road.svg", "<rect", "<style>@import url(//e.org)</style><rect"), "media/road.svg:2 media.svg_element"},
		{"use in a drawing", change("media/road.svg", "<rect", "<use href=\"#x\"/><rect"), "media/road.svg:2 media.svg_element"},
		{"entities in a drawing", change("media/road.svg", "<svg", "<!DOCTYPE svg [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><svg"), "*media/road.svg:1 media.svg_doctype"},
		{"colour from elsewhere", change("media/road.svg", "<rect", "<rect fill=\"url(https://e.org/#a)\"/><rect"), "media/road.svg:2 media.svg_value"},
		{"script in a drawing", change("media/road.svg", "<rect", "<script>alert(1)</script><rect"), "media/road.svg:2 media.svg_element"},
		{"handler in a drawing", change("media/road.svg", "<rect", "<rect onclick=\"x()\""), "media/road.svg:2 media.svg_attribute"},
		{"translation loses a link", change(ar, "و[التالي](lesson:second)", "والتالي"), "locales/ar/only.po:21 translation.links"},
		{"translation leads elsewhere", change(ar, "و[التالي](lesson:second)", "و[التالي](lesson:first)"), "locales/ar/only.po:21 translation.links"},
		{"translation loses code", change(ar, "شغّلوا `print(\\\"x\\\")`", "شغّلوا"), "locales/ar/only.po:32 translation.code"},
		{"translation with HTML", change(ar, "ثلاثة", "<b>ثلاثة</b>"), "*locales/ar/only.po:86 translation.raw_html"},
		{"stars in a translation that show", change(ar, "ثلاثة", "**ثلاثة **"), "*locales/ar/only.po:86 translation.loose_stars"},
		{"translation of two paragraphs", change(ar, "ثلاثة", "ثلا\\n\\nثة"), "*locales/ar/only.po:86 translation.not_one_paragraph"},
		{"table with another column", change(ar, "| a | 1 |", "| a | 1 |\\n| b | 2 |"), "locales/ar/only.po:41 translation.other_table"},
		{"tower of quotes", put(lesson, title+strings.Repeat(">", 50000)+" x\n"), "lessons/second.md:3 lesson.too_deep"},
		{"tower of brackets", put(lesson, title+strings.Repeat("[", 50000)+" x\n"), "lessons/second.md:3 lesson.too_deep"},
		{"wide table", put(lesson, title+strings.Repeat("|a", 40)+"\n"), "lessons/second.md:3 lesson.too_deep"},
		{"many lines", put(lesson, title+strings.Repeat("a\n", 3000)), "lessons/second.md:2001 lesson.too_deep"},
		{"many blocks", put(lesson, title+strings.Repeat("::: note\n", 1500)), "lessons/second.md:203 lesson.too_deep"},
		{"many brackets", put(lesson, title+strings.Repeat("[a](\n[b [c\n", 900)), "lessons/second.md:1336 lesson.too_deep"},
		{"html in a statement", put("labs/echo/statement.md", "Do.\n\n<script>\n"), "labs/echo/statement.md:3 lesson.raw_html"},

		// Quizzes.
		{"unknown type", change(exam, "type: order", "type: sort"), "quizzes/exam.yaml:20 course.not_one_of"},
		{"no correct option", change(exam, "correct: true, feedback: SECRET-S2", "feedback: SECRET-S2"), "quizzes/exam.yaml:9 quiz.no_correct_option"},
		{"two correct options", change(exam, "feedback: SECRET-S1", "correct: true, feedback: SECRET-S1"), "quizzes/exam.yaml:11 quiz.two_correct_options"},
		{"multiple without a correct one", change(practice, "type: single", "type: multiple"), ""},
		{"one option", change(practice, "      - {id: bb, text: That, feedback: Not that.}\n", ""), "quizzes/practice.yaml:7 course.too_few"},
		{"option without feedback", change(exam, ", feedback: SECRET-S1", ""), "quizzes/exam.yaml:10 quiz.option_without_feedback"},
		{"correct in an order", change(exam, "{id: one, text: One}", "{id: one, text: One, correct: true}"), "quizzes/exam.yaml:23 quiz.not_for_type"},
		{"feedback on a single", change(practice, "prompt: Which one?", "prompt: Which one?\n    feedback: {correct: a, incorrect: b}"), "quizzes/practice.yaml:7 quiz.not_for_type"},
		{"half a feedback", change(practice, "{correct: All match., incorrect: Not all match.}", "{correct: All match.}"), "quizzes/practice.yaml:16 course.missing_key"},
		{"no feedback", change(practice, "    feedback: {correct: All match., incorrect: Not all match.}\n", ""), "quizzes/practice.yaml:10 quiz.missing_for_type"},
		{"no answer", change(exam, "    answer: 73519.25\n", ""), "quizzes/exam.yaml:36 quiz.missing_for_type"},
		{"negative tolerance", change(exam, "tolerance: 0.0625", "tolerance: -1"), "quizzes/exam.yaml:40 course.number_too_small"},
		{"no points", change(exam, "points: 2", "points: 0"), "quizzes/exam.yaml:8 course.number_not_above"},
		{"graded is a word", change(exam, "graded: true", "graded: yes"), "quizzes/exam.yaml:2 course.not_true_or_false"},
		{"question twice", change(exam, "- id: multi", "- id: single"), "quizzes/exam.yaml:12 course.duplicate_id"},
		{"option twice", change(exam, "{id: two, text: Two}", "{id: one, text: Two}"), "quizzes/exam.yaml:24 course.duplicate_id"},
		{"pair twice", change(exam, "{id: pb, left: L2", "{id: pa, left: L2"), "quizzes/exam.yaml:33 course.duplicate_id"},
		{"same right side", change(exam, "right: R2", "right: R1"), "quizzes/exam.yaml:33 quiz.same_text"},
		{"same right side in a translation", change(ar, "msgctxt \"quiz.exam.pairs.pair.pa.right\"\nmsgid \"R1\"\nmsgstr \"\"", "msgctxt \"quiz.exam.pairs.pair.pa.right\"\nmsgid \"R1\"\nmsgstr \"R2\""), "quizzes/exam.yaml:33 quiz.same_text"},
		{"same option", change(exam, "text: Third", "text: Second"), "quizzes/exam.yaml:18 quiz.same_text"},
		{"answer that folds away", change(exam, `"the  other"`, `"ـ"`), "quizzes/exam.yaml:45 quiz.empty_answer"},
		{"accept a number", change(exam, `"the  other"`, `7`), "quizzes/exam.yaml:45 course.not_text"},

		// Labs.
		{"other language", change(lab, "language: python", "language: cobol"), "labs/echo/lab.yaml:2 course.not_one_of"},
		{"entry with a path", change(lab, "entry: main.py", "entry: ../main.py"), "labs/echo/lab.yaml:3 lab.bad_entry"},
		{"entry as the solution", change(lab, "entry: main.py", "entry: solution.py"), "labs/echo/lab.yaml:3 lab.reserved_file"},
		{"above a ceiling", change(lab, "wall_seconds: 5", "wall_seconds: 31"), "labs/echo/lab.yaml:5 course.number_too_large"},
		{"no such data", change(lab, "- words.csv", "- words.csv\n  - more.csv"), "labs/echo/lab.yaml:8 course.missing_file"},
		{"data not listed", put("labs/echo/more.csv", "x"), "labs/echo/more.csv:1 lab.unlisted_file"},
		{"data with a path", change(lab, "- words.csv", "- ../words.csv"), "labs/echo/lab.yaml:7 lab.bad_file_name, labs/echo/lab.yaml:7 course.missing_file, labs/echo/lab.yaml:59 lab.data_unlisted, labs/echo/words.csv:1 lab.unlisted_file"},
		{"the solution as data", change(lab, "- words.csv", "- words.csv\n  - solution.py"), "labs/echo/lab.yaml:8 lab.reserved_file"},
		{"check without a judge", change(lab, "    equals: a\n", ""), "labs/echo/lab.yaml:11 lab.check_kinds"},
		{"check with two", change(lab, "equals: a\n", "equals: a\n    stdout: x\n"), "labs/echo/lab.yaml:11 lab.check_kinds"},
		{"check without a call", change(lab, "    call: half(1)\n", ""), "labs/echo/lab.yaml:20 lab.call_missing"},
		{"stdout with a call", change(lab, "title: Says so", "title: Says so\n    call: x"), "labs/echo/lab.yaml:30 lab.call_unwanted"},
		{"bad expression", change(lab, `"(?i)openly-said"`, `"(a"`), "labs/echo/lab.yaml:30 lab.bad_regexp"},
		{"huge expression", change(lab, `"(?i)openly-said"`, `"((a{100}){100}){100}"`), "labs/echo/lab.yaml:30 lab.bad_regexp"},
		{"near without a tolerance", change(lab, "{value: 0.5, tolerance: 0.001}", "{value: 0.5}"), "labs/echo/lab.yaml:23 course.missing_key"},
		{"set is a list", change(lab, "[a, 2, [true, null]]", "a"), "labs/echo/lab.yaml:27 course.not_a_list"},
		{"check twice", change(lab, "- id: half", "- id: same"), "labs/echo/lab.yaml:20 course.duplicate_id"},
		{"starter is the solution", put("labs/echo/starter.py", "def echo(x):\n    return x  # SECRET-SOLUTION\n"), "labs/echo/starter.py:1 lab.starter_is_solution"},
		{"wrong is the solution", put("labs/echo/wrong/always-a.py", "def echo(x):\n    return x  # SECRET-SOLUTION\n"), "labs/echo/wrong/always-a.py:1 lab.wrong_is_solution"},
		{"empty solution", put("labs/echo/solution.py", " \n"), "labs/echo/solution.py:1 course.empty_file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := coursetest.Copy(t)
			test.edit(t, m)
			got := faultsOf(t, m)
			if want, ok := strings.CutPrefix(test.want, "*"); ok { // among others
				for _, g := range got {
					if g == want {
						return
					}
				}
				t.Fatalf("want %s among\n%s", want, strings.Join(got, "\n"))
			}
			want := map[string]bool{}
			for _, w := range strings.Split(test.want, ", ") {
				if w != "" {
					want[w] = true
				}
			}
			for _, g := range got {
				if !want[g] {
					t.Errorf("unwanted fault: %s", g)
				}
				delete(want, g)
			}
			for w := range want {
				t.Errorf("no fault: %s", w)
			}
		})
	}
}

// bomb is a small file that stands for a huge one.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 20 {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i, i)
	}
	return b.String()
}

// Every fault is told at once, whatever file it is in.
func TestAllFaultsAtOnce(t *testing.T) {
	m := coursetest.Copy(t)
	for _, e := range []edit{
		change("course.yaml", "minutes: 30", "minutes: 0"),
		change("course.yaml", "- quiz: exam", "- quiz: exma"),
		change("quizzes/exam.yaml", "type: order", "type: sort"),
		change("labs/echo/lab.yaml", `"(?i)openly-said"`, `"("`),
		put("lessons/second.md", "# T\n\n<br>\n\n[x](http://e.org)\n"),
		put("locales/ar/course.po", "msgid \"a\n"),
	} {
		e(t, m)
	}
	got := strings.Join(faultsOf(t, m), "\n")
	want := strings.Join([]string{
		"course.yaml:9 course.number_too_small",
		"course.yaml:17 course.missing_file",
		"labs/echo/lab.yaml:30 lab.bad_regexp",
		"lessons/second.md:3 lesson.raw_html",
		"lessons/second.md:5 lesson.bad_link",
		"locales/ar/course.po:1 po.open_quote",
		"quizzes/exam.yaml:1 course.not_in_course",
		"quizzes/exam.yaml:20 course.not_one_of",
	}, "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A stranger's course cannot make a reply endless.
func TestFaultsAreBounded(t *testing.T) {
	m := coursetest.Copy(t)
	m["lessons/second.md"] = &fstest.MapFile{Data: []byte("# T\n\n" + strings.Repeat("<br>\n\n", 900))}
	put("lessons/first.md", "# T\n\n[x](ftp://"+strings.Repeat("y", 10000)+")\n")(t, m)
	_, err := compile.Course(m, compile.Options{})
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatal(err)
	}
	if n := len(f.Details); n != 201 || f.Details[n-1].Key != "course.more_faults" {
		t.Errorf("%d details, the last %+v", n, f.Details[n-1])
	}
	for _, d := range f.Details {
		for name, v := range d.Args {
			if s, ok := v.(string); !ok || len([]rune(s)) > 81 {
				t.Errorf("%s: argument %s is %v", d.Key, name, v)
			}
		}
	}
}

// The same course saved by an editor on Windows is the same version.
func TestWindowsTextIsTheSameVersion(t *testing.T) {
	unix, windows := fstest.MapFS{}, fstest.MapFS{}
	if err := fs.WalkDir(os.DirFS("../../../content/examples/ai-in-daily-life"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile("../../../content/examples/ai-in-daily-life/" + name)
		if err != nil {
			return err
		}
		unix[name] = &fstest.MapFile{Data: data}
		windows[name] = &fstest.MapFile{Data: append([]byte("\xef\xbb\xbf"), bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))...)}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	a, err := compile.Course(unix, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := compile.Course(windows, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest != b.Digest {
		t.Errorf("digests differ: %s and %s", a.Digest, b.Digest)
	}
}
