-- Accounts that may log in; roles may not. What needs a certificate (ssl_type 2 and 3) needs no password, and who has ed25519
-- or parsec without one is let in by none.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.accounts AS
SELECT
  COUNT(CASE WHEN User = '' THEN 1 END) AS anonymous,
  COUNT(CASE WHEN COALESCE(JSON_VALUE(Priv, '$.ssl_type'), '0') NOT IN ('2', '3') AND (
      COALESCE(JSON_VALUE(Priv, '$.plugin'), '') IN ('', 'mysql_native_password', 'mysql_old_password', 'caching_sha2_password')
        AND COALESCE(JSON_VALUE(Priv, '$.authentication_string'), '') = ''
      OR COALESCE(JSON_VALUE(Priv, '$.auth_or[0].plugin'), 'none') IN ('', 'mysql_native_password', 'mysql_old_password', 'caching_sha2_password')
        AND COALESCE(JSON_VALUE(Priv, '$.auth_or[0].authentication_string'), '') = ''
      OR COALESCE(JSON_VALUE(Priv, '$.auth_or[1].plugin'), 'none') IN ('', 'mysql_native_password', 'mysql_old_password', 'caching_sha2_password')
        AND COALESCE(JSON_VALUE(Priv, '$.auth_or[1].authentication_string'), '') = ''
      OR COALESCE(JSON_VALUE(Priv, '$.auth_or[2].plugin'), 'none') IN ('', 'mysql_native_password', 'mysql_old_password', 'caching_sha2_password')
        AND COALESCE(JSON_VALUE(Priv, '$.auth_or[2].authentication_string'), '') = ''
      OR COALESCE(JSON_VALUE(Priv, '$.auth_or[3].plugin'), 'none') IN ('', 'mysql_native_password', 'mysql_old_password', 'caching_sha2_password')
        AND COALESCE(JSON_VALUE(Priv, '$.auth_or[3].authentication_string'), '') = ''
    ) THEN 1 END) AS without_password,
  COUNT(CASE WHEN User = 'root' AND Host NOT IN ('localhost', '127.0.0.1', '::1') THEN 1 END) AS remote_root,
  (SELECT COUNT(*) FROM mysql.db WHERE User IN ('', 'PUBLIC') AND Db LIKE 'test%')
    + (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'test') AS test
FROM mysql.global_priv
WHERE COALESCE(JSON_VALUE(Priv, '$.account_locked'), '0') IN ('0', 'false')
  AND COALESCE(JSON_VALUE(Priv, '$.is_role'), '0') IN ('0', 'false');

-- The shop's account: how many rights it has, and on what.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.shop_account AS
SELECT
  '{account}' AS account,
  '{schema}' AS shop_schema,
  COUNT(*) AS hosts,
  COUNT(CASE WHEN Host IN ('', '%') THEN 1 END) AS any_host,
  COUNT(CASE WHEN COALESCE(JSON_VALUE(Priv, '$.access'), '0') <> '0' THEN 1 END) AS global_rights,
  (SELECT COUNT(*) FROM mysql.db d WHERE d.User = '{account}' AND d.Grant_priv = 'Y') AS grant_options,
  (SELECT COUNT(*) FROM mysql.db d WHERE d.User = '{account}'
    AND (d.Db IN ('mysql', 'sys', 'performance_schema') OR d.Db LIKE '%|%%' ESCAPE '|')) AS server_schemas,
  (SELECT COUNT(*) FROM mysql.db d WHERE d.User = '{account}' AND REPLACE(d.Db, CHAR(92 USING utf8mb4), '') <> '{schema}')
    + (SELECT COUNT(*) FROM mysql.tables_priv t WHERE t.User = '{account}' AND t.Db <> '{schema}') AS other_schemas,
  (SELECT COUNT(*) FROM mysql.roles_mapping r WHERE r.User = '{account}') AS roles
FROM mysql.global_priv WHERE User = '{account}' AND COALESCE(JSON_VALUE(Priv, '$.is_role'), '0') IN ('0', 'false');
