package page

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

const localeForm = `[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*`

// policy is the second wall: nothing else is written, so whatever this takes away would have been a hole in the first.
var policy = func() *bluemonday.Policy {
	is := func(form string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + form + `)$`) }
	texts := []string{"ul", "ol", "h2", "h3", "h4", "h5", "h6", "p", "span", "figcaption", "summary", "dfn", "dd", "div", "pre", "a"}
	p := bluemonday.NewPolicy()
	p.AllowElements("h2", "h3", "h4", "h5", "h6", "p", "ul", "li", "blockquote", "hr", "br", "em", "strong", "span", "summary", "dfn", "dl", "dt", "dd",
		"table", "thead", "tbody", "tr", "figcaption", "a", "ol", "pre", "code", "th", "td", "div", "aside", "figure", "section", "details", "img", "audio")
	p.AllowAttrs("id").Matching(is(`h-[\p{L}\p{M}\p{N}.-]*`)).OnElements("h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("id").Matching(is(`term-` + idForm)).OnElements("dt")
	p.AllowAttrs("start").Matching(is(`[0-9]{1,9}`)).OnElements("ol")
	p.AllowAttrs("dir").Matching(is(`ltr|rtl`)).OnElements(append(texts, "code")...)
	p.AllowAttrs("dir").Matching(is(`ltr|rtl|auto`)).OnElements("pre", "span")
	p.AllowAttrs("lang").Matching(is(localeForm)).OnElements(append(texts, "img")...)
	p.AllowAttrs("data-stale").Matching(is(`true`)).OnElements(texts...)
	p.AllowAttrs("tabindex").Matching(is(`0`)).OnElements("pre", "div")
	p.AllowAttrs("class").Matching(is(`language-[a-z0-9+-]+`)).OnElements("code")
	p.AllowAttrs("class").Matching(is(`fallback`)).OnElements(texts...)
	p.AllowAttrs("class").Matching(is(`(?:scroll|size|text|open|term|title|credit)(?: fallback)?`)).OnElements("div", "pre", "p")
	p.AllowAttrs("class").Matching(is(`end|center`)).OnElements("th", "td")
	p.AllowAttrs("class").Matching(is(`block (?:note|example|definition|reveal|discussion|activity|lab|figure|audio|transcript|terms)`)).OnElements("aside", "figure", "section", "details")
	p.AllowAttrs("data-seconds", "data-bytes").Matching(is(`[0-9]{1,12}`)).OnElements("p")
	p.AllowAttrs("data-label").Matching(is(`block\.(?:note|example|definition|discussion|activity|lab|audio|transcript|terms)`)).OnElements("aside", "figure", "section", "details")
	p.AllowAttrs("scope").Matching(is(`col`)).OnElements("th")
	p.AllowAttrs("title").OnElements("a")
	p.AllowAttrs("href").Matching(regexp.MustCompile(`^(https://|\./` + idForm + `$|#term-` + idForm + `$)`)).OnElements("a")
	media := is(`/media/[0-9a-f]{64}\.(?:svg|png|jpg|webp|opus|ogg|mp3|wav)`)
	p.AllowAttrs("src").Matching(media).OnElements("img", "audio")
	p.AllowAttrs("srcset").Matching(is(`/media/[0-9a-f]{64}\.(?:png|jpg|webp) [0-9]{2,4}w(?:, /media/[0-9a-f]{64}\.(?:png|jpg|webp) [0-9]{2,4}w)*`)).OnElements("img")
	p.AllowAttrs("sizes").Matching(is(`\(max-width: 30rem\) 100vw, 30rem`)).OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(is(`[0-9]{1,4}`)).OnElements("img")
	p.AllowAttrs("loading").Matching(is(`lazy`)).OnElements("img")
	p.AllowAttrs("controls").Matching(is(`controls`)).OnElements("audio")
	p.AllowAttrs("preload").Matching(is(`none`)).OnElements("audio")
	p.AllowURLSchemes("https")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	return p
}()
