//! Settings to adapters behind ports: the only place where a setting chooses an adapter
