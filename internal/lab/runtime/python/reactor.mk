# Adds the reactor to CPython's own Makefile, read before this file. Without
# --compress-relocations, wasi-libc's call_indirect instructions name their table in
# five bytes, where browsers without reference types want one.

reactor.wasm: reactor.o $(LIBRARY_DEPS)
	$(LINKCC) $(PY_CORE_LDFLAGS) $(LINKFORSHARED) -mexec-model=reactor \
		-Wl,--gc-sections,--strip-all,--compress-relocations,--export=__stack_pointer,--max-memory=134217728 \
		-o $@ reactor.o $(LINK_PYTHON_OBJS) $(LIBS) $(MODLIBS) $(SYSLIBS)

reactor.o: reactor.c
	$(CC) -c $(PY_CORE_CFLAGS) -o $@ $<
