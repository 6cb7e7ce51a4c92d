/** The few pages that the server itself makes, for when the page is not there or may not be shown. */

const page = (title: string, body: string, head = ''): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title}</title>${head}</head><body><h1>${title}</h1>${body}</body></html>\n`;

export const NOT_BUILT_PAGE = page(
  'losslog: the page was not built',
  '<p>The server runs, and its <a href="/api/v1/openapi.json">API</a> and <a href="/metrics">metrics</a> answer. In a checkout <code>npm run setup</code> builds the page; then start losslog again.</p>',
);

/** The browser asks again by itself: a cookie with SameSite=Strict does not follow a redirect that another site began. */
export const WELCOME_PAGE = page(
  'losslog',
  '<p><a href="/">Go on</a></p>',
  '<meta http-equiv="refresh" content="0;url=/">',
);
