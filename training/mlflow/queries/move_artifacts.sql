-- For SQLite, in which MLflow keeps them: every place under another home's artifacts becomes the same place under ours.
update experiments
set artifact_location = $home || substr(artifact_location, length($other) + 1)
where substr(artifact_location || '/', 1, length($other) + 1) = $other || '/';

update runs
set artifact_uri = $home || substr(artifact_uri, length($other) + 1)
where substr(artifact_uri || '/', 1, length($other) + 1) = $other || '/';

update logged_models
set artifact_location = $home || substr(artifact_location, length($other) + 1)
where substr(artifact_location || '/', 1, length($other) + 1) = $other || '/';

update model_versions
set source = $home || substr(source, length($other) + 1)
where substr(source || '/', 1, length($other) + 1) = $other || '/';

update model_versions
set storage_location = $home || substr(storage_location, length($other) + 1)
where substr(storage_location || '/', 1, length($other) + 1) = $other || '/';
