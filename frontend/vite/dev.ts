// `npm run dev`: the running program's pages, with this folder's sources in place of the built ones.
import type { Plugin } from 'vite';

export function devPages(program: string): Plugin {
  return {
    name: 'banyan-dev-pages',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use(async (request, reply, next) => {
        if (request.method !== 'GET' || !request.headers.accept?.includes('text/html')) return next();
        try {
          const { cookie = '', 'accept-language': language = '' } = request.headers;
          const answer = await fetch(program + (request.url ?? '/'), {
            headers: { accept: 'text/html', cookie, 'accept-language': language },
            redirect: 'manual',
          });
          reply.statusCode = answer.status;
          const to = answer.headers.get('location');
          if (to) reply.setHeader('Location', to);
          reply.setHeader('Content-Type', answer.headers.get('content-type') ?? 'text/html');
          reply.end(withSources(await answer.text()));
        } catch (cause) {
          next(new Error(`No program answers at ${program}. Start it with make run.`, { cause }));
        }
      });
    },
  };
}

/** The program's own policy for scripts stays behind, since Vite's client would break it. */
export function withSources(html: string): string {
  const entry = html.includes('data-page="app"') ? '/src/app.tsx' : '/src/page.ts';
  const sources = ['/@vite/client', entry].map((src) => `<script type="module" src="${src}"></script>`).join('\n');
  return html
    .replace(/<style>[\s\S]*?<\/style>\s*/, '<link rel="stylesheet" href="/src/ui/page.css">\n')
    .replace(/<link rel="(?:modulepreload|stylesheet)" href="\/assets\/[^>]*>\s*/g, '')
    .replace(/<script type="module" src="\/assets\/[^>]*><\/script>/, sources);
}
