import type { Migration } from './migration.ts';

/** `id` orders the records of a table by creation. Hashes and arrays are JSON; times are RFC 3339 with nanoseconds. */
const base = `
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  owner_uuid TEXT NOT NULL,
  created_at TEXT NOT NULL,
  modified_at TEXT NOT NULL`;

const work = `
  command TEXT NOT NULL,
  container_image TEXT NOT NULL,
  cwd TEXT NOT NULL,
  environment TEXT NOT NULL,
  mounts TEXT NOT NULL,
  output_path TEXT NOT NULL,
  output_glob TEXT NOT NULL,
  runtime_constraints TEXT NOT NULL,
  scheduling_parameters TEXT NOT NULL,
  secret_mounts TEXT NOT NULL`;

export const records: Migration = {
  version: 1,
  sql: `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Who holds locks and waits for requests: one row for each open store.
CREATE TABLE sessions (
  uuid TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  process_start TEXT NOT NULL,
  machine TEXT NOT NULL
) WITHOUT ROWID;

-- What other processes read to learn what changed.
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY,
  session TEXT NOT NULL,
  resource TEXT NOT NULL,
  uuid TEXT NOT NULL
);

-- Equal content is stored once. image_hash: the image that this is the archive of (one file, sha256:<hex>.tar).
CREATE TABLE manifests (
  id INTEGER PRIMARY KEY,
  portable_data_hash TEXT NOT NULL UNIQUE,
  manifest_text TEXT NOT NULL,
  image_hash TEXT
);
CREATE INDEX manifests_image_hash ON manifests (image_hash) WHERE image_hash IS NOT NULL;

-- Which contents hold a block: from a file's bytes to the collections they are in.
CREATE TABLE manifest_blocks (
  md5 BLOB NOT NULL,
  manifest_id INTEGER NOT NULL,
  PRIMARY KEY (md5, manifest_id)
) WITHOUT ROWID;

CREATE TABLE collections (${base},
  name TEXT,
  description TEXT,
  properties TEXT NOT NULL,
  portable_data_hash TEXT NOT NULL,
  trash_at TEXT,
  delete_at TEXT
);
CREATE INDEX collections_pdh ON collections (portable_data_hash);
CREATE INDEX collections_delete_at ON collections (delete_at) WHERE delete_at IS NOT NULL;
CREATE INDEX collections_image_tag ON collections (json_extract(properties, '$."docker-image-repo-tag"'))
  WHERE json_extract(properties, '$."docker-image-repo-tag"') IS NOT NULL;
CREATE INDEX collections_image_hash ON collections (json_extract(properties, '$."docker-image-hash"'))
  WHERE json_extract(properties, '$."docker-image-hash"') IS NOT NULL;

-- reuse_key: equal work; NULL once the container can no longer satisfy a request. secret_mounts_key outlives the secrets, which are wiped at the end.
CREATE TABLE containers (${base},${work},
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  locked_by_uuid TEXT,
  lock_count INTEGER NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  exit_code INTEGER,
  output TEXT,
  log TEXT,
  output_properties TEXT NOT NULL,
  progress REAL,
  runtime_status TEXT NOT NULL,
  reuse_key TEXT,
  secret_mounts_key TEXT NOT NULL,
  ram INTEGER NOT NULL,
  vcpus INTEGER NOT NULL
);
CREATE INDEX containers_reuse ON containers (reuse_key) WHERE reuse_key IS NOT NULL;
CREATE INDEX containers_queue ON containers (priority DESC, id) WHERE state = 'Queued';
CREATE INDEX containers_active ON containers (locked_by_uuid, ram, vcpus) WHERE state IN ('Locked', 'Running');
CREATE INDEX containers_image ON containers (container_image);
CREATE INDEX containers_output ON containers (output) WHERE output IS NOT NULL;

-- session: the store that waits for it.
CREATE TABLE container_requests (${base},${work},
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  properties TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  requesting_container_uuid TEXT,
  container_uuid TEXT,
  container_count INTEGER NOT NULL,
  container_count_max INTEGER NOT NULL,
  use_existing INTEGER NOT NULL,
  output_name TEXT,
  output_ttl INTEGER NOT NULL,
  output_properties TEXT NOT NULL,
  output_uuid TEXT,
  log_uuid TEXT,
  session TEXT
);
CREATE INDEX requests_container ON container_requests (container_uuid);
CREATE INDEX requests_name ON container_requests (name);
CREATE INDEX requests_parent ON container_requests (requesting_container_uuid) WHERE requesting_container_uuid IS NOT NULL;
CREATE INDEX requests_output ON container_requests (output_uuid) WHERE output_uuid IS NOT NULL;

CREATE INDEX requests_run ON container_requests (json_extract(properties, '$."hm:run"'))
  WHERE json_extract(properties, '$."hm:run"') IS NOT NULL;

CREATE TABLE links (${base},
  link_class TEXT NOT NULL,
  name TEXT NOT NULL,
  tail_uuid TEXT,
  head_uuid TEXT,
  properties TEXT NOT NULL
);
CREATE INDEX links_name ON links (link_class, name);
CREATE INDEX links_head ON links (head_uuid) WHERE head_uuid IS NOT NULL;
CREATE INDEX links_tail ON links (tail_uuid) WHERE tail_uuid IS NOT NULL;

CREATE TABLE logs (${base},
  object_uuid TEXT,
  event_at TEXT NOT NULL,
  event_type TEXT NOT NULL,
  properties TEXT NOT NULL
);
CREATE INDEX logs_object ON logs (object_uuid, id);

CREATE TABLE workflows (${base},
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  definition TEXT NOT NULL
);
`,
};
