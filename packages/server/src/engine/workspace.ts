/** The one workspace that there is; keys of rows have it from the first migration. */
export const workspaceId = 1;
