create schema shelfprice
