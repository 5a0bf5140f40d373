package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/openapi"
)

// bareName is how the bare server's connections are known in Postgres.
const bareName = "bench"

// bare says what the bare server answers with: what the real server answered before.
type bare struct {
	Address   string
	Header    map[string]string // of the page
	Page      []byte
	Static    string // folder of files
	Database  string
	Catalogue openapi.CourseList
}

// startBaseline starts the bare server. spec.Address is filled in.
func startBaseline(ctx context.Context, dir string, spec bare) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if spec.Address, err = freeAddress(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "baseline.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, err
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	cmd := exec.Command(self, "baseline-server") //nolint:noctx // stopped by the harness
	cmd.Stdin = in
	return startServer(ctx, cmd, spec.Address, "/up", filepath.Join(dir, "baseline.log"))
}

// serveBaseline is the bare server: Echo and pgx, and nothing around them.
func serveBaseline() error {
	var spec bare
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		return err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/up", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.GET("/page", func(c echo.Context) error {
		h := c.Response().Header()
		for name, value := range spec.Header {
			h.Set(name, value)
		}
		return c.Blob(http.StatusOK, spec.Header["Content-Type"], spec.Page)
	})
	if spec.Static != "" {
		e.Static("/static", spec.Static)
	}
	if spec.Database != "" {
		config, err := pgxpool.ParseConfig(spec.Database)
		if err != nil {
			return err
		}
		config.MaxConns = 16 // as many as the real server
		config.ConnConfig.RuntimeParams["application_name"] = bareName
		pool, err := pgxpool.NewWithConfig(context.Background(), config)
		if err != nil {
			return err
		}
		b := bareQueries{pool: pool, courses: map[string]openapi.CourseSummary{}}
		for _, c := range spec.Catalogue.Items {
			b.courses[c.VersionID] = c
		}
		e.GET("/courses", b.catalogue)
		e.GET("/progress/:id", b.progress)
		e.POST("/statements", b.statements)
	}
	return e.Start(spec.Address)
}

type bareQueries struct {
	pool    *pgxpool.Pool
	courses map[string]openapi.CourseSummary // what never changes is kept, as the real server does
}

// catalogue reads which version of each course is the newest.
func (b *bareQueries) catalogue(c echo.Context) error {
	rows, err := b.pool.Query(c.Request().Context(), `SELECT (SELECT v.id FROM course_versions v
		WHERE v.course_id = c.id ORDER BY v.number DESC LIMIT 1)::text FROM courses c ORDER BY c.id LIMIT 51`)
	if err != nil {
		return err
	}
	defer rows.Close()
	list := openapi.CourseList{Items: []openapi.CourseSummary{}}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		list.Items = append(list.Items, b.courses[id])
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	return c.JSON(http.StatusOK, list)
}

// progress reads the enrollment with its version's number, and the progress. It asks nobody who he is.
func (b *bareQueries) progress(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	out := openapi.Progress{Items: []openapi.ItemProgress{}}
	err := b.pool.QueryRow(ctx, `SELECT e.id::text, e.course_id, v.number FROM enrollments e
		JOIN course_versions v ON v.id = e.version_id WHERE e.id = $1`, id).Scan(&out.EnrollmentID, &out.CourseID, &out.Number)
	if err != nil {
		return err
	}
	rows, err := b.pool.Query(ctx, `SELECT object_id, started, completed, score, attempts, updated_at
		FROM progress WHERE enrollment_id = $1 ORDER BY object_id`, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p openapi.ItemProgress
		if err := rows.Scan(&p.ObjectID, &p.Started, &p.Completed, &p.Score, &p.Attempts, &p.UpdatedAt); err != nil {
			return err
		}
		p.UpdatedAt = p.UpdatedAt.UTC()
		if p.ObjectID == out.CourseID {
			out.Completed = p.Completed
			continue
		}
		out.Items = append(out.Items, p)
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	return c.JSON(http.StatusOK, out)
}

// statements reads the batch and inserts it with one statement. It believes everything.
func (b *bareQueries) statements(c echo.Context) error {
	var batch []struct {
		ID           pgtype.UUID     `json:"id"`
		EnrollmentID pgtype.UUID     `json:"enrollment_id"`
		Verb         string          `json:"verb"`
		ObjectID     string          `json:"object_id"`
		At           time.Time       `json:"at"`
		Responses    json.RawMessage `json:"responses"`
	}
	if err := json.NewDecoder(c.Request().Body).Decode(&batch); err != nil {
		return err
	}
	n, now := len(batch), time.Now()
	id, enrollment := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	verb, object, result, at := make([]string, n), make([]string, n), make([]string, n), make([]time.Time, n)
	for i, s := range batch {
		id[i], enrollment[i], verb[i], object[i], at[i] = s.ID, s.EnrollmentID, s.Verb, s.ObjectID, s.At
		result[i] = "{}"
		if s.Responses != nil {
			result[i] = `{"responses":` + string(s.Responses) + `}`
		}
	}
	tag, err := b.pool.Exec(c.Request().Context(), `INSERT INTO bench_statements
			(id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at)
		SELECT id, enrollment, enrollment, enrollment, verb, object, result, at, $7
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::json[], $6::timestamptz[]) AS s (id, enrollment, verb, object, result, at)
		ON CONFLICT (id) DO NOTHING`, id, enrollment, verb, object, result, at, now)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	return c.JSON(http.StatusOK, map[string]int64{"accepted": tag.RowsAffected()})
}
