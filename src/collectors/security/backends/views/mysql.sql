-- Accounts that may log in; a role may not, for it is locked. What needs a certificate needs no password.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.accounts AS
SELECT
  COUNT(CASE WHEN User = '' THEN 1 END) AS anonymous,
  COUNT(CASE WHEN plugin IN ('', 'mysql_native_password', 'mysql_old_password', 'sha256_password', 'caching_sha2_password')
    AND COALESCE(authentication_string, '') = '' AND ssl_type NOT IN ('X509', 'SPECIFIED') THEN 1 END) AS without_password,
  COUNT(CASE WHEN User = 'root' AND Host NOT IN ('localhost', '127.0.0.1', '::1') THEN 1 END) AS remote_root,
  (SELECT COUNT(*) FROM mysql.db WHERE User = '' AND Db LIKE 'test%')
    + (SELECT COUNT(DISTINCT database_name) FROM mysql.innodb_table_stats WHERE database_name = 'test') AS test
FROM mysql.user WHERE account_locked = 'N';

-- The shop's account: how many rights it has, and on what.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.shop_account AS
SELECT
  '{account}' AS account,
  '{schema}' AS shop_schema,
  COUNT(*) AS hosts,
  COUNT(CASE WHEN Host IN ('', '%') THEN 1 END) AS any_host,
  COUNT(CASE WHEN 'Y' IN (Select_priv, Insert_priv, Update_priv, Delete_priv, Create_priv, Drop_priv, Reload_priv,
    Shutdown_priv, Process_priv, File_priv, Grant_priv, References_priv, Index_priv, Alter_priv, Show_db_priv, Super_priv,
    Create_tmp_table_priv, Lock_tables_priv, Execute_priv, Repl_slave_priv, Repl_client_priv, Create_view_priv,
    Show_view_priv, Create_routine_priv, Alter_routine_priv, Create_user_priv, Event_priv, Trigger_priv,
    Create_tablespace_priv, Create_role_priv, Drop_role_priv) THEN 1 END)
    + (SELECT COUNT(*) FROM mysql.global_grants g WHERE g.USER = '{account}') AS global_rights,
  (SELECT COUNT(*) FROM mysql.db d WHERE d.User = '{account}' AND d.Grant_priv = 'Y') AS grant_options,
  (SELECT COUNT(*) FROM mysql.db d WHERE d.User = '{account}'
    AND (d.Db IN ('mysql', 'sys', 'performance_schema') OR d.Db LIKE '%|%%' ESCAPE '|')) AS server_schemas,
  (SELECT COUNT(*) FROM mysql.db d WHERE d.User = '{account}' AND REPLACE(d.Db, CHAR(92 USING utf8mb4), '') <> '{schema}')
    + (SELECT COUNT(*) FROM mysql.tables_priv t WHERE t.User = '{account}' AND t.Db <> '{schema}') AS other_schemas,
  (SELECT COUNT(*) FROM mysql.role_edges r WHERE r.TO_USER = '{account}') AS roles
FROM mysql.user WHERE User = '{account}';
