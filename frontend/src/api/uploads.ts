// What is sent as it is, not as JSON: for the console, and so apart from what every page carries.
import { api, ask, type Schemas } from './client';

type PictureOf = { institution: string; signatory?: string };

/** Sets the logo of an institution, or the picture of a signatory's signature. */
export async function putPicture({ institution, signatory }: PictureOf, picture: Blob): Promise<Schemas['Institution']> {
  const sent = {
    body: picture as unknown as string,
    bodySerializer: (body: string) => body as unknown as Blob,
    // What it is, its first bytes say; without a type the server would not look.
    headers: { 'Content-Type': picture.type || 'image/png' },
  };
  const path = { institution_id: institution };
  if (!signatory) return ask(api.PUT('/api/institutions/{institution_id}/logo', { params: { path }, ...sent }));
  return ask(
    api.PUT('/api/institutions/{institution_id}/signatories/{signatory_id}/signature', {
      params: { path: { ...path, signatory_id: signatory } },
      ...sent,
    }),
  );
}

/** Publishes a course out of a zip of its folder. Waits up to an hour. */
export async function publishZip(institution: string, zip: Blob): Promise<Schemas['CourseVersion']> {
  return ask(
    api.POST('/api/institutions/{institution_id}/course-versions', {
      params: { path: { institution_id: institution } },
      body: zip as unknown as string,
      bodySerializer: (body) => body as unknown as Blob,
      headers: { 'Content-Type': 'application/zip' },
    }),
    3_600_000,
  );
}
