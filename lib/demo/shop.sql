-- The sample data of `vkit demo`: a small shop. Nobody in it exists. Addresses are under example.com (RFC 2606), phone
-- numbers from the range that is kept for fiction (+1 202 555 01xx), national ids begin with 666, which is never given
-- out, and cards are the test numbers that payment providers publish. The statements run on every engine.

create table customers (
  id integer primary key,
  full_name varchar(80) not null,
  email varchar(120) not null,
  phone varchar(20),
  date_of_birth date,
  national_id varchar(20),
  city varchar(40) not null,
  loyalty_tier varchar(10) not null,
  customer_since date not null
);

create table products (
  id integer primary key,
  name varchar(80) not null,
  department varchar(20) not null,
  price numeric(10, 2) not null,
  in_stock integer not null
);

create table orders (
  id integer primary key,
  customer_id integer not null references customers (id),
  product_id integer not null references products (id),
  quantity integer not null,
  total numeric(10, 2) not null,
  status varchar(12) not null,
  ordered_on date not null
);

create table payments (
  id integer primary key,
  order_id integer not null references orders (id),
  card_number varchar(20) not null,
  amount numeric(10, 2) not null,
  state varchar(12) not null,
  paid_on date not null
);

insert into customers values
  (1, 'Mara Lindgren', 'mara@example.com', '+1 202 555 0101', '1987-03-14', '666-01-4821', 'Porto', 'gold', '2019-05-02'),
  (2, 'Jonas Achter', 'jonas@example.com', '+1 202 555 0102', '1991-11-30', '666-02-1975', 'Graz', 'silver', '2020-01-17'),
  (3, 'Ines Valadares', 'ines@example.com', '+1 202 555 0103', '1978-07-08', '666-03-6640', 'Lisbon', 'gold', '2018-09-23'),
  (4, 'Teo Marchetti', 'teo@example.com', '+1 202 555 0104', '1995-01-25', '666-04-3318', 'Turin', 'bronze', '2022-03-11'),
  (5, 'Saskia Norling', 'saskia@example.com', '+1 202 555 0105', '1983-12-19', '666-05-9052', 'Malmo', 'gold', '2017-11-05'),
  (6, 'Emil Farkasdi', 'emil@example.com', '+1 202 555 0106', '1969-04-02', '666-06-7713', 'Pecs', 'silver', '2021-06-29'),
  (7, 'Leonie Dargent', 'leonie@example.com', '+1 202 555 0107', '1999-09-09', '666-07-2284', 'Nantes', 'bronze', '2023-02-14'),
  (8, 'Oskar Winterfeldt', 'oskar@example.com', null, '1974-06-21', '666-08-5159', 'Bremen', 'silver', '2019-08-08'),
  (9, 'Paula Zubizar', 'paula@example.com', '+1 202 555 0109', '1988-02-28', '666-09-8406', 'Bilbao', 'gold', '2020-12-01'),
  (10, 'Nils Overbeke', 'nils@example.com', '+1 202 555 0110', '1993-10-16', '666-10-1127', 'Ghent', 'bronze', '2024-01-30'),
  (11, 'Agata Wilkowa', 'agata@example.com', '+1 202 555 0111', '1981-05-05', '666-11-3590', 'Gdynia', 'silver', '2018-04-12'),
  (12, 'Ronan Keadymore', 'ronan@example.com', '+1 202 555 0112', '1990-08-27', null, 'Cork', 'bronze', '2021-10-20');

insert into products values
  (1, 'Rain jacket', 'clothing', 129.00, 40),
  (2, 'Wool socks', 'clothing', 14.50, 310),
  (3, 'Enamel mug', 'kitchen', 11.90, 150),
  (4, 'Camping stove', 'outdoor', 74.00, 22),
  (5, 'Head torch', 'outdoor', 39.90, 65),
  (6, 'Trail backpack', 'outdoor', 98.50, 31),
  (7, 'Cast iron pan', 'kitchen', 54.00, 18),
  (8, 'Linen shirt', 'clothing', 62.00, 57);

insert into orders values
  (101, 1, 1, 1, 129.00, 'delivered', '2026-01-09'),
  (102, 3, 6, 1, 98.50, 'delivered', '2026-01-11'),
  (103, 5, 4, 2, 148.00, 'returned', '2026-01-15'),
  (104, 2, 2, 4, 58.00, 'delivered', '2026-01-18'),
  (105, 9, 5, 1, 39.90, 'delivered', '2026-01-22'),
  (106, 7, 3, 6, 71.40, 'delivered', '2026-01-27'),
  (107, 6, 8, 1, 62.00, 'returned', '2026-02-02'),
  (108, 11, 7, 1, 54.00, 'delivered', '2026-02-06'),
  (109, 3, 5, 2, 79.80, 'delivered', '2026-02-10'),
  (110, 8, 1, 1, 129.00, 'shipped', '2026-02-17'),
  (111, 10, 2, 2, 29.00, 'shipped', '2026-02-19'),
  (112, 4, 6, 1, 98.50, 'shipped', '2026-02-21'),
  (113, 12, 3, 1, 11.90, 'ordered', '2026-02-26'),
  (114, 1, 4, 1, 74.00, 'ordered', '2026-02-27');

insert into payments values
  (501, 101, '4242424242424242', 129.00, 'settled', '2026-01-09'),
  (502, 102, '5555555555554444', 98.50, 'settled', '2026-01-11'),
  (503, 103, '4000056655665556', 148.00, 'disputed', '2026-01-15'),
  (504, 104, '378282246310005', 58.00, 'settled', '2026-01-18'),
  (505, 105, '6011111111111117', 39.90, 'settled', '2026-01-22'),
  (506, 106, '5105105105105100', 71.40, 'settled', '2026-01-27'),
  (507, 107, '4012888888881881', 62.00, 'disputed', '2026-02-02'),
  (508, 108, '4111111111111111', 54.00, 'settled', '2026-02-06'),
  (509, 109, '5555555555554444', 79.80, 'settled', '2026-02-10'),
  (510, 110, '371449635398431', 129.00, 'disputed', '2026-02-17'),
  (511, 111, '6011000990139424', 29.00, 'settled', '2026-02-19'),
  (512, 112, '3530111333300000', 98.50, 'settled', '2026-02-21');
