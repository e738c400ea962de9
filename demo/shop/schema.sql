-- The shop's database. It runs on MariaDB and MySQL alike, and in a container as /docker-entrypoint-initdb.d/schema.sql.
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
USE shop;

CREATE TABLE settings (
  name VARCHAR(40) PRIMARY KEY,
  value VARCHAR(200) NOT NULL
);

CREATE TABLE categories (
  id INT PRIMARY KEY AUTO_INCREMENT,
  slug VARCHAR(40) NOT NULL UNIQUE,
  name VARCHAR(80) NOT NULL
);

CREATE TABLE products (
  id INT PRIMARY KEY AUTO_INCREMENT,
  category_id INT NOT NULL,
  slug VARCHAR(80) NOT NULL UNIQUE,
  name VARCHAR(120) NOT NULL,
  cents INT NOT NULL,
  stock INT NOT NULL DEFAULT 500,
  FOREIGN KEY (category_id) REFERENCES categories (id)
);

CREATE TABLE customers (
  id INT PRIMARY KEY AUTO_INCREMENT,
  email VARCHAR(120) NOT NULL UNIQUE,
  name VARCHAR(80) NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  is_admin BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE orders (
  id INT PRIMARY KEY AUTO_INCREMENT,
  customer_id INT NULL,
  status VARCHAR(20) NOT NULL DEFAULT 'new',
  payment_reference CHAR(32) NOT NULL UNIQUE,
  cents INT NOT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY by_customer (customer_id, id),
  KEY by_status (status),
  KEY by_time (created_at)
);

CREATE TABLE order_lines (
  order_id INT NOT NULL,
  product_id INT NOT NULL,
  quantity INT NOT NULL,
  cents INT NOT NULL,
  PRIMARY KEY (order_id, product_id),
  FOREIGN KEY (order_id) REFERENCES orders (id),
  FOREIGN KEY (product_id) REFERENCES products (id)
);

INSERT INTO settings (name, value) VALUES ('name', 'The shop window');

INSERT INTO categories (id, slug, name) VALUES
  (1, 'lighting', 'Lighting'), (2, 'kitchen', 'Kitchen'), (3, 'desk', 'Desk'),
  (4, 'textiles', 'Textiles'), (5, 'garden', 'Garden'), (6, 'books', 'Books');

INSERT INTO products (category_id, slug, name, cents) VALUES
  (1, 'desk-lamp', 'Desk lamp', 4900), (1, 'floor-lamp', 'Floor lamp', 12900), (1, 'lantern', 'Lantern', 3400),
  (1, 'string-lights', 'String lights', 1900), (1, 'reading-light', 'Reading light', 2700), (1, 'candle-holder', 'Candle holder', 1500),
  (2, 'coffee-pot', 'Coffee pot', 3900), (2, 'tea-glasses', 'Tea glasses, six', 1800), (2, 'bread-knife', 'Bread knife', 3200),
  (2, 'cutting-board', 'Cutting board', 2600), (2, 'salad-bowl', 'Salad bowl', 3500), (2, 'copper-pan', 'Copper pan', 8900),
  (3, 'notebook', 'Notebook', 900), (3, 'fountain-pen', 'Fountain pen', 5900), (3, 'pencil-case', 'Pencil case', 1400),
  (3, 'desk-mat', 'Desk mat', 2900), (3, 'bookends', 'Bookends', 2400), (3, 'paper-tray', 'Paper tray', 1700),
  (4, 'wool-blanket', 'Wool blanket', 7900), (4, 'linen-sheet', 'Linen sheet', 9900), (4, 'bath-towel', 'Bath towel', 2200),
  (4, 'cushion', 'Cushion', 2800), (4, 'kilim', 'Kilim', 18900), (4, 'apron', 'Apron', 3100),
  (5, 'watering-can', 'Watering can', 2900), (5, 'secateurs', 'Secateurs', 3600), (5, 'bird-house', 'Bird house', 2500),
  (5, 'hammock', 'Hammock', 6900), (5, 'olive-tree', 'Olive tree, young', 4500), (5, 'garden-gloves', 'Garden gloves', 1200),
  (6, 'cook-book', 'A cook book', 2900), (6, 'atlas', 'An atlas', 5500), (6, 'short-stories', 'Short stories', 1600),
  (6, 'garden-guide', 'A guide to gardens', 2400), (6, 'city-walks', 'City walks', 1900), (6, 'poems', 'Poems', 1300);

-- Both log in with the password `demo`.
INSERT INTO customers (email, name, password_hash, is_admin) VALUES
  ('ayse@shop.example', 'Ayşe', '$2y$08$3gMKIBQbwJ8j4tZpCZt4U.5K/3gBfTmKWgRzDwTo0QKAeJjMJalxa', FALSE),
  ('admin@shop.example', 'The shopkeeper', '$2y$08$3gMKIBQbwJ8j4tZpCZt4U.5K/3gBfTmKWgRzDwTo0QKAeJjMJalxa', TRUE);
