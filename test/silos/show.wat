;; SPDX-License-Identifier: GPL-2.0-or-later
;; show PATH: prints the first bytes of a file, by WASI; exits with 1 when it cannot open it. PATH is below /, without the slash.
(module
	(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "path_open"
		(func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
	(memory (export "memory") 1)
	(data (i32.const 64) "not to be opened\n")

	(func $length (param $at i32) (result i32)
		(local $end i32)
		(local.set $end (local.get $at))
		(block $done
			(loop $more
				(br_if $done (i32.eqz (i32.load8_u (local.get $end))))
				(local.set $end (i32.add (local.get $end) (i32.const 1)))
				(br $more)))
		(i32.sub (local.get $end) (local.get $at)))

	(func $print (param $fd i32) (param $at i32) (param $size i32)
		(i32.store (i32.const 0) (local.get $at))
		(i32.store (i32.const 4) (local.get $size))
		(drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))

	(func (export "_start")
		(local $path i32)
		(drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
		(drop (call $args_get (i32.const 1024) (i32.const 2048)))
		(local.set $path (i32.load (i32.const 1028)))
		;; 3 is the directory /; the right is fd_read
		(if (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (call $length (local.get $path))
				(i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 24))
			(then
				(call $print (i32.const 2) (i32.const 64) (i32.const 17))
				(call $proc_exit (i32.const 1))))
		(i32.store (i32.const 0) (i32.const 8192))
		(i32.store (i32.const 4) (i32.const 4096))
		(drop (call $fd_read (i32.load (i32.const 24)) (i32.const 0) (i32.const 1) (i32.const 8)))
		(call $print (i32.const 1) (i32.const 8192) (i32.load (i32.const 8)))))
