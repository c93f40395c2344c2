/** Lines of `http` that keep nginx's temporary files in this folder rather than in the system's. */
export const temporaryPaths = (folder: string): string =>
  ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(" ");
