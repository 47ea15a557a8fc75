-- The order in which the layer of functions and views is installed.
\ir functions/create_insight_partitions.sql
\ir functions/is_running.sql
\ir functions/pct_change.sql
\ir functions/passed_share.sql
\ir functions/variation_weight.sql
\ir functions/excess_variation.sql
\ir functions/variation_size.sql
\ir functions/relative_variance.sql
\ir views/entities.sql
\ir views/entity_daily.sql
\ir views/parent_daily.sql
\ir views/entity_totals.sql
\ir views/account_reference.sql
\ir views/entity_features.sql
\ir views/entity_evidence.sql
\ir views/latest_classifications.sql
\ir functions/store_features.sql
