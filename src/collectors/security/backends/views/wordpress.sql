-- WordPress: how the passwords of administrators are hashed.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.shop AS
SELECT
  'wordpress' AS engine,
  COUNT(*) AS administrators,
  COUNT(CASE WHEN u.user_pass LIKE '$wp$2y$%' OR u.user_pass LIKE '$2y$%' OR u.user_pass LIKE '$argon2%' THEN 1 END)
    AS strong
FROM `{schema}`.`{prefix}users` u
WHERE EXISTS (SELECT 1 FROM `{schema}`.`{prefix}usermeta` m WHERE m.user_id = u.ID
  AND m.meta_key = '{prefix}capabilities' AND m.meta_value LIKE '%"administrator"%');
