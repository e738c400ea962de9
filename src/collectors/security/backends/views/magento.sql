-- Magento 2: how the passwords of administrators are hashed; versions 2 and 3 of its hashes are Argon2.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW vitrin_security.shop AS
SELECT
  'magento' AS engine,
  COUNT(*) AS administrators,
  COUNT(CASE WHEN SUBSTRING_INDEX(password, ':', -1) IN ('2', '3') OR SUBSTRING_INDEX(password, ':', -1) LIKE '3|_%' ESCAPE '|'
    THEN 1 END) AS strong
FROM `{schema}`.`{prefix}admin_user` WHERE is_active = 1;
