<?php
// The administration: who is in carries a token in each address, as in OpenCart.
declare(strict_types=1);

require dirname(__DIR__, 2) . '/page.php';

$token = session()->data['user_token'] ?? '';
$in = $token !== '' && hash_equals($token, given('user_token'));
if (!$in) {
    $again = '';
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        $user = customer(given('email'), given('password'));
        if ($user && $user['is_admin']) {
            $token = bin2hex(random_bytes(16));
            session()->data['user_token'] = $token;
            session()->rename();
            go("/admin/index.php?route=common/dashboard&user_token=$token");
            return;
        }
        $again = '<p role="alert">That is not right. Try admin@shop.example with the password demo.</p>';
    }
    page('Administration', "$again<form method=\"post\" action=\"/admin/index.php?route=common/login\">
        <label>E-mail <input name=\"email\" type=\"email\"></label>
        <label>Password <input name=\"password\" type=\"password\"></label><button>Log in</button></form>");
    return;
}

$totals = rows('SELECT status, COUNT(*) AS orders, SUM(cents) AS cents FROM orders
                WHERE created_at > NOW() - INTERVAL 1 DAY GROUP BY status ORDER BY status');
$body = '<h2>Orders of a day</h2><table>';
foreach ($totals as $row) {
    $body .= '<tr><td>' . h($row['status']) . "<td>{$row['orders']}<td>" . price($row['cents']);
}
$body .= '</table><h2>Most sold</h2><table>';
$sold = rows('SELECT p.name, SUM(l.quantity) AS sold, p.stock FROM order_lines l JOIN products p ON p.id = l.product_id
              GROUP BY p.id ORDER BY sold DESC LIMIT 10');
foreach ($sold as $row) {
    $body .= '<tr><td>' . h($row['name']) . "<td>{$row['sold']} sold<td>{$row['stock']} left";
}
page('Administration', "$body</table>");
