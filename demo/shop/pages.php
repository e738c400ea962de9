<?php
// The shop's pages. Their addresses are OpenCart 4's.
declare(strict_types=1);

/** Products as tiles. */
function tiles(array $products): string
{
    $tiles = '';
    foreach ($products as $product) {
        [$slug, $name, $price] = [h($product['slug']), h($product['name']), price($product['cents'])];
        $tiles .= "<li><a href=\"/en-gb/product/$slug\"><img src=\"/image/thing.svg\" alt=\"\"><b>$name</b></a><span>$price</span></li>";
    }
    return $tiles === '' ? '<p>Nothing here.</p>' : "<ul class=\"tiles\">$tiles</ul>";
}

function missing(): void
{
    page('Not here', '<p>There is no such page. <a href="/">To the front page</a></p>', 404);
}

function home(): void
{
    shared(5);
    $categories = cached('categories', 600, fn () => rows('SELECT slug, name FROM categories ORDER BY name'));
    $favourites = cached('favourites', 60, fn () => rows(
        'SELECT p.slug, p.name, p.cents, COUNT(l.order_id) AS sold FROM products p
         LEFT JOIN order_lines l ON l.product_id = p.id GROUP BY p.id ORDER BY sold DESC, p.id LIMIT 8'
    ));
    $links = '';
    foreach ($categories as $category) {
        $links .= '<a href="/en-gb/catalog/' . h($category['slug']) . '">' . h($category['name']) . '</a> ';
    }
    page('Welcome', "<p class=\"categories\">$links</p><h2>Favourites</h2>" . tiles($favourites));
}

function category(string $slug): void
{
    $found = cached("category:$slug", 600, fn () => rows('SELECT id, name FROM categories WHERE slug = ?', $slug));
    if (!$found) {
        missing();
        return;
    }
    shared(5);
    $products = cached("category:$slug:products", 600, fn () => rows(
        'SELECT slug, name, cents FROM products WHERE category_id = ? ORDER BY name', $found[0]['id']
    ));
    page($found[0]['name'], tiles($products));
}

function product(string $slug): void
{
    $found = cached("product:$slug", 600, fn () => rows(
        'SELECT id, category_id, name, cents FROM products WHERE slug = ?', $slug
    ));
    if (!$found) {
        missing();
        return;
    }
    $product = $found[0];
    $stock = rows('SELECT stock FROM products WHERE id = ?', $product['id'])[0]['stock'];
    $others = cached("beside:$slug", 600, fn () => rows(
        'SELECT slug, name, cents FROM products WHERE category_id = ? AND id <> ? ORDER BY id LIMIT 4',
        $product['category_id'], $product['id']
    ));
    $price = price($product['cents']);
    page($product['name'], <<<HTML
        <p><img class="large" src="/image/thing.svg" alt=""></p>
        <p><b>$price</b>, $stock in stock</p>
        <form method="post" action="/index.php?route=checkout/cart.add">
        <input type="hidden" name="product_id" value="{$product['id']}"><button>Add to cart</button>
        </form>
        <h2>Goes well with it</h2>
        HTML . tiles($others));
}

function search(): void
{
    $words = substr(given('search'), 0, 80);
    $like = '%' . addcslashes($words, '%_\\') . '%';
    $found = rows('SELECT slug, name, cents FROM products WHERE name LIKE ? ORDER BY name LIMIT 24', $like);
    page("Search: $words", tiles($found));
}

/** What is in the cart, with today's prices; and the sum. */
function cart_lines(): array
{
    [$lines, $sum] = [[], 0];
    foreach (session()->data['cart'] ?? [] as $id => $quantity) {
        foreach (rows('SELECT id, slug, name, cents FROM products WHERE id = ?', $id) as $product) {
            $lines[] = $product + ['quantity' => $quantity];
            $sum += $product['cents'] * $quantity;
        }
    }
    return [$lines, $sum];
}

function cart(): void
{
    [$lines, $sum] = cart_lines();
    $rows = '';
    foreach ($lines as $line) {
        $rows .= '<tr><td>' . h($line['name']) . "<td>{$line['quantity']}<td>" . price($line['cents']);
    }
    page('Cart', $lines ? "<table>$rows<tr><th>Together<td><th>" . price($sum) . '</table>'
        . '<p><a class="button" href="/index.php?route=checkout/checkout">To the checkout</a></p>' : '<p>It is empty.</p>');
}

function cart_add(): void
{
    $id = (int) given('product_id');
    if (rows('SELECT id FROM products WHERE id = ?', $id)) {
        $cart = session()->data['cart'] ?? [];
        $cart[$id] = min(9, ($cart[$id] ?? 0) + 1);
        session()->data['cart'] = $cart;
        session()->keep();
    }
    go('/index.php?route=checkout/cart');
}

function checkout(): void
{
    [$lines, $sum] = cart_lines();
    page('Checkout', $lines ? '<p>To pay: <b>' . price($sum) . '</b></p>
        <form method="post" action="/index.php?route=checkout/confirm"><button>Order and pay</button></form>'
        : '<p>There is nothing in the cart.</p>');
}

function checkout_confirm(): void
{
    [$lines, $sum] = cart_lines();
    if (!$lines) {
        go('/index.php?route=checkout/cart');
        return;
    }
    $reference = bin2hex(random_bytes(16));
    db()->begin_transaction();
    rows('INSERT INTO orders (customer_id, payment_reference, cents) VALUES (?, ?, ?)',
        session()->data['customer'] ?? null, $reference, $sum);
    $order = db()->insert_id;
    foreach ($lines as $line) {
        rows('INSERT INTO order_lines VALUES (?, ?, ?, ?)', $order, $line['id'], $line['quantity'], $line['cents']);
        // What sells out is bought anew at once: the demo may run all night.
        rows('UPDATE products SET stock = IF(stock > ?, stock - ?, 500) WHERE id = ?',
            $line['quantity'], $line['quantity'], $line['id']);
    }
    db()->commit();
    session()->data['cart'] = [];
    session()->data['paid'] = $reference;
    session()->keep();
    go('/index.php?route=checkout/success');
}

function checkout_success(): void
{
    page('Thank you', '<p>Your order is on its way. Reference: ' . h(session()->data['paid'] ?? '-') . '</p>');
}

/** The bank tells that an order is paid, whose reference only it and the customer know. */
function payment_callback(): void
{
    rows("UPDATE orders SET status = 'paid' WHERE payment_reference = ? AND status = 'new'", given('reference'));
    json(['known' => db()->affected_rows > 0]);
}

function login(): void
{
    $again = '';
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        $customer = customer(given('email'), given('password'));
        if ($customer) {
            session()->data['customer'] = $customer['id'];
            session()->rename();
            go('/index.php?route=account/account');
            return;
        }
        $again = '<p role="alert">That is not right. Try ayse@shop.example with the password demo.</p>';
    }
    page('Login', "$again<form method=\"post\"><label>E-mail <input name=\"email\" type=\"email\"></label>
        <label>Password <input name=\"password\" type=\"password\"></label><button>Log in</button></form>");
}

function account(): void
{
    $id = session()->data['customer'] ?? null;
    if ($id === null) {
        go('/index.php?route=account/login');
        return;
    }
    $rows = '';
    foreach (rows('SELECT id, status, cents, created_at FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT 10', $id) as $order) {
        $rows .= "<tr><td>{$order['id']}<td>{$order['created_at']}<td>{$order['status']}<td>" . price($order['cents']);
    }
    page('Your account', $rows ? "<table>$rows</table>" : '<p>No orders yet.</p>');
}

/** What marketplaces and apps ask for. */
function api_product(): void
{
    $found = rows('SELECT id, name, cents, stock FROM products WHERE id = ?', (int) given('product_id'));
    $found ? json($found[0]) : json(['error' => 'no such product'], 404);
}

function feed(): void
{
    shared(30);
    json(cached('feed', 60, fn () => rows('SELECT id, slug, name, cents, stock FROM products ORDER BY id')));
}

function information(): void
{
    page('About us', '<p>This shop sells nothing. It exists for as long as the demo runs, and is watched by Vitrin.</p>');
}
