-- OpenCart: how passwords are hashed, who may use its API, and four settings.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.shop AS
SELECT
  'opencart' AS engine,
  COUNT(*) AS administrators,
  COUNT(CASE WHEN password LIKE '$2y$%' OR password LIKE '$2a$%' OR password LIKE '$2b$%' OR password LIKE '$argon2%'
    THEN 1 END) AS strong,
  (SELECT COUNT(*) FROM `{schema}`.`{prefix}api` a WHERE a.status = 1) AS api_enabled,
  (SELECT COUNT(*) FROM `{schema}`.`{prefix}api` a WHERE a.status = 1 AND NOT EXISTS
    (SELECT 1 FROM `{schema}`.`{prefix}api_ip` i WHERE i.api_id = a.api_id AND i.ip <> '')) AS api_without_addresses,
  (SELECT MAX(s.value = '1') FROM `{schema}`.`{prefix}setting` s WHERE s.`key` = 'config_user_2fa' AND s.store_id = 0)
    AS second_factor,
  (SELECT MAX(s.value = '1') FROM `{schema}`.`{prefix}setting` s WHERE s.`key` = 'config_error_display') AS error_display,
  (SELECT MAX(CASE WHEN s.value REGEXP '^[0-9]{1,6}$' THEN CAST(s.value AS UNSIGNED) END)
    FROM `{schema}`.`{prefix}setting` s WHERE s.`key` = 'config_login_attempts' AND s.store_id = 0) AS login_attempts
FROM `{schema}`.`{prefix}user` WHERE status = 1;
