<?php
// The front controller: which page an address is. `route` is OpenCart's argument; `_route_` is what nginx makes of a
// readable address, /en-gb/product/desk-lamp.
declare(strict_types=1);

require dirname(__DIR__) . '/page.php';
require dirname(__DIR__) . '/pages.php';

const ROUTES = [
    'common/home' => 'home',
    'product/search' => 'search',
    'checkout/cart' => 'cart',
    'checkout/cart.add' => 'cart_add',
    'checkout/checkout' => 'checkout',
    'checkout/confirm' => 'checkout_confirm',
    'checkout/success' => 'checkout_success',
    'extension/bank/payment/card/callback' => 'payment_callback',
    'account/login' => 'login',
    'account/account' => 'account',
    'api/product' => 'api_product',
    'extension/feed/products' => 'feed',
    'information/about' => 'information',
];

$address = trim(given('_route_'), '/');
$page = ROUTES[given('route') ?: 'common/home'] ?? 'missing';
if (preg_match('#^en-gb/(product|catalog)/([a-z0-9-]+)$#', $address, $match)) {
    $match[1] === 'product' ? product($match[2]) : category($match[2]);
} elseif ($address !== '' && $address !== 'index.php') {
    missing();
} else {
    $page();
}
