package typeset

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
)

// The typefaces of the shipped languages, as Debian distributes them: fonts/README.md.
//
//go:embed fonts/*.ttf
var shipped embed.FS

// Weight is how heavy letters are.
type Weight int

// The weights. Where a typeface has no bold, its regular stands in.
const (
	Regular Weight = iota
	Bold
)

func (w Weight) String() string { return [...]string{"Regular", "Bold"}[w] }

// Library finds typefaces: those of the shipped languages are in the program,
// others in a folder. The zero value has the shipped ones. Safe for concurrent use.
type Library struct {
	Dir string           // folder with Noto's files, as `make fonts` fills it; "" for none
	Now func() time.Time // time.Now when nil

	mu    sync.Mutex
	fonts map[string]*Font
}

// Font is a typeface that has been read.
type Font struct {
	Name   string // of the file, without its ending
	Upem   float64
	parsed *font.Font
	large  bool
	usedAt time.Time
}

const (
	// A file that is larger leaves memory when nobody has used it for a
	// while: ideographs take some 20 MB.
	largeFont = 2 << 20
	idle      = 5 * time.Minute
	// No file of a font is larger; what is, is none.
	maxFont = 64 << 20
)

// han are the files that have ideographs, kana and hangul, best first. The
// collection has a face for each country, since they draw the same character differently.
var han = []string{"NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf"}

// hanFace is the place of a locale's face in the collection.
func hanFace(locale string) int {
	lang, rest, _ := strings.Cut(locale, "-")
	switch lang {
	case "ja":
		return 0
	case "ko":
		return 1
	case "zh":
		switch rest {
		case "HK", "Hant-HK", "MO", "Hant-MO":
			return 4
		case "Hant", "TW", "Hant-TW":
			return 3
		}
	}
	return 2
}

// families are Noto's typefaces of the scripts that people write their names in today, best first.
var families = map[language.Script][]string{
	language.Latin: {latin}, language.Greek: {latin}, language.Cyrillic: {latin},
	language.Arabic: {"NotoNaskhArabic", "NotoSansArabic"}, language.Devanagari: {"NotoSerifDevanagari"},
	language.Adlam: {"NotoSansAdlam"}, language.Armenian: {"NotoSerifArmenian"}, language.Balinese: {"NotoSerifBalinese"},
	language.Bamum: {"NotoSansBamum"}, language.Bengali: {"NotoSerifBengali"}, language.Canadian_Aboriginal: {"NotoSansCanadianAboriginal"},
	language.Chakma: {"NotoSansChakma"}, language.Cham: {"NotoSansCham"}, language.Cherokee: {"NotoSansCherokee"},
	language.Ethiopic: {"NotoSerifEthiopic"}, language.Georgian: {"NotoSerifGeorgian"}, language.Gujarati: {"NotoSerifGujarati"},
	language.Gurmukhi: {"NotoSerifGurmukhi"}, language.Hanifi_Rohingya: {"NotoSansHanifiRohingya"}, language.Hebrew: {"NotoSerifHebrew"},
	language.Javanese: {"NotoSansJavanese"}, language.Kannada: {"NotoSerifKannada"}, language.Khmer: {"NotoSerifKhmer"},
	language.Lao: {"NotoSerifLao"}, language.Lepcha: {"NotoSansLepcha"}, language.Limbu: {"NotoSansLimbu"}, language.Lisu: {"NotoSansLisu"},
	language.Malayalam: {"NotoSerifMalayalam"}, language.Meetei_Mayek: {"NotoSansMeeteiMayek"}, language.Mongolian: {"NotoSansMongolian"},
	language.Myanmar: {"NotoSerifMyanmar"}, language.New_Tai_Lue: {"NotoSansNewTaiLue"}, language.Nko: {"NotoSansNKo"},
	language.Ol_Chiki: {"NotoSansOlChiki"}, language.Oriya: {"NotoSansOriya"}, language.Osmanya: {"NotoSansOsmanya"},
	language.Sinhala: {"NotoSerifSinhala"}, language.Sundanese: {"NotoSansSundanese"}, language.Syloti_Nagri: {"NotoSansSylotiNagri"},
	language.Syriac: {"NotoSansSyriac"}, language.Tai_Le: {"NotoSansTaiLe"}, language.Tai_Tham: {"NotoSansTaiTham"},
	language.Tai_Viet: {"NotoSansTaiViet"}, language.Tamil: {"NotoSerifTamil"}, language.Telugu: {"NotoSerifTelugu"},
	language.Thaana: {"NotoSansThaana"}, language.Thai: {"NotoSerifThai"}, language.Tibetan: {"NotoSerifTibetan"},
	language.Tifinagh: {"NotoSansTifinagh"}, language.Vai: {"NotoSansVai"}, language.Yi: {"NotoSansYi"},
}

// latin is the typeface of everything that belongs to no script.
const latin = "NotoSerif"

// symbols are tried for what belongs to no script and is in none of the others.
var symbols = []string{"NotoSansSymbols-Regular.ttf", "NotoSansSymbols2-Regular.ttf", "NotoSansMath-Regular.ttf"}

// candidates are the files that may have a script's letters, best first.
func candidates(script language.Script, w Weight) []string {
	switch script {
	case language.Han, language.Hiragana, language.Katakana, language.Hangul, language.Bopomofo:
		return han
	}
	var out []string
	for _, n := range families[script] {
		out = append(out, n+"-"+w.String()+".ttf")
		if w != Regular {
			out = append(out, n+"-"+Regular.String()+".ttf")
		}
	}
	return out
}

// open gives a font by the name of its file, or nil when there is no such file. A file that is there and broken is an error.
func (l *Library) open(file string, face int) (*Font, error) {
	key := file
	if strings.HasSuffix(file, ".ttc") {
		key = fmt.Sprintf("%s#%d", file, face)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	for k, f := range l.fonts {
		if f != nil && f.large && k != key && now().Sub(f.usedAt) > idle {
			delete(l.fonts, k)
		}
	}
	if f, known := l.fonts[key]; known {
		if f != nil {
			f.usedAt = now()
		}
		return f, nil
	}
	f, err := l.read(file, face)
	if err != nil {
		return nil, fmt.Errorf("read typeface %s: %w", file, err)
	}
	if l.fonts == nil {
		l.fonts = map[string]*Font{}
	}
	if f != nil {
		f.usedAt = now()
	}
	l.fonts[key] = f // nil too: a folder is not searched again and again
	return f, nil
}

func (l *Library) read(file string, face int) (*Font, error) {
	var r ot.Resource
	var size int64
	if b, err := shipped.ReadFile("fonts/" + file); err == nil {
		r, size = bytes.NewReader(b), int64(len(b))
	} else {
		if l.Dir == "" {
			return nil, nil
		}
		f, err := os.Open(filepath.Join(l.Dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // all that is needed of it is in memory by then
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		if size = info.Size(); size > maxFont {
			return nil, fmt.Errorf("%d bytes are too many", size)
		}
		r = f
	}
	loaders, err := ot.NewLoaders(r)
	if err != nil {
		return nil, err
	}
	if face >= len(loaders) {
		face = 0
	}
	parsed, err := font.NewFont(loaders[face])
	if err != nil {
		return nil, err
	}
	if parsed.Upem() == 0 {
		return nil, errors.New("it has no size")
	}
	return &Font{
		Name: strings.TrimSuffix(file, filepath.Ext(file)), Upem: float64(parsed.Upem()), parsed: parsed, large: size > largeFont,
	}, nil
}
