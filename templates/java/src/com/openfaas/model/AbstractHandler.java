package com.openfaas.model;

public abstract class AbstractHandler implements IHandler {
    @Override
    public IResponse Handle(IRequest request) {
        throw new UnsupportedOperationException(getClass().getName() + " does not override Handle(IRequest)");
    }
}
